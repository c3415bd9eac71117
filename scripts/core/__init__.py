"""Figure files and the arithmetic of their layers: sizes, windows and values; no drawing."""
