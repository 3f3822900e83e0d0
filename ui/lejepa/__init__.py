"""What only the page on LeJEPA needs."""
