"""Running TeX and reading its logs."""
