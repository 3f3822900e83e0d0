"""Worlds of pictures: factors of variation, and renderers that draw them when they are shown."""
