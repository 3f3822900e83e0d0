"""What only the page of manifold entropic metrics needs."""
