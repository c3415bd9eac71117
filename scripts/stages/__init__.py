"""The stages between a figure and its files: fill templates, run TeX, rasterise."""
