"""Whole builds: of one figure, of many in parallel, of the report."""
