"""Playlists of listeners."""
