"""What only the page on auxiliary variables needs."""
