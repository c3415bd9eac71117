"""The report's chapters, and the values and relationships that they use."""
