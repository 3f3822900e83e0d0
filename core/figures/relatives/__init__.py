"""Figures of the theory's relatives: how much each asks for, and what it finds."""
