"""What only the page on manifold entropic metrics needs."""
