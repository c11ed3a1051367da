"""Imports of a listener's songs from Spotify, and playlists in both directions."""
