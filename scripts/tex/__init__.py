"""Running TeX and other programs, and reading their logs."""
