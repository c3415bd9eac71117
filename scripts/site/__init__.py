"""The site: a page for each figure, an index of all of them, and an explorer of any layer."""
