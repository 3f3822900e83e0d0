"""What only the page on clusters shows."""
