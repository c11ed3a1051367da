"""Search over songs, artists and genres."""
