"""Layers as frameworks write them: one module per framework reads and writes its notation; `frameworks` lists them."""
