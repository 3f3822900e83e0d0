"""What only the page on scores needs."""
