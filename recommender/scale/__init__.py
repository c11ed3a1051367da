"""Approximate search for more than a million songs, and fitting on more than one machine."""
