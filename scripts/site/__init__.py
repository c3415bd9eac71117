"""The site: a page for each figure, and an index of all of them."""
