"""What only the page on boxes needs."""
