"""Normalizing flows, and the generators and Gaussians that they are held against."""
