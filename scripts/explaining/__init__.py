"""Explanations of layers, stacks, models and error messages as plain data, which templates typeset."""
