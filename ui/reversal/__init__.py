"""What only the page on gradient reversal shows."""
