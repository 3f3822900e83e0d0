"""What claims rest on without a run: exact constructions, as numbers."""
