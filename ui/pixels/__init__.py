"""What only the page on pictures needs."""
