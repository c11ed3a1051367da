"""Decides which names and lengths mean the same artist or recording. Needs no database."""
