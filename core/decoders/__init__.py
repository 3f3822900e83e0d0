"""Anybody's decoder: measured from a file of its Jacobians, and kept to be shown."""
