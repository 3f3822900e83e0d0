"""Claims of the page on pictures."""
