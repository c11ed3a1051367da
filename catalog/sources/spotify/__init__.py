"""Spotify's search, and songs added from it."""
