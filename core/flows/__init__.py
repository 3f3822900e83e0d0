"""Normalizing flows of more dimensions than the plane has."""
