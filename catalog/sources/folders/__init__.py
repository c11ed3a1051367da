"""Folders of music files: their tags, and the files themselves."""
