"""Calls to the Spotify Web API: log-in, tokens, limits, and the client for what the site uses."""
