"""Adds the songs of music servers and folders to the catalogue."""
