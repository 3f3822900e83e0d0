"""The page that shows the theory on one page."""
