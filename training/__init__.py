"""Worlds, metrics and evaluation; later the training of skills and policies."""
