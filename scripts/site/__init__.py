"""The site: a gallery of the figures, and an explorer of any layer."""
