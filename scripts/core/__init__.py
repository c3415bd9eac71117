"""Facts and arithmetic: a figure's file, its layer, its sizes, windows and values; no drawing."""
