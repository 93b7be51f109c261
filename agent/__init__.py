"""Decides, reads, takes notes and answers; imports `index` only."""
