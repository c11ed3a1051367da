"""A listener's songs at Spotify, brought here, and playlists both ways."""
