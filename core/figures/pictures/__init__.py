"""Figures of encoders of pictures, and of what a probe of their codes proves."""
