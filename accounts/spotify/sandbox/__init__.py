"""A server that behaves like Spotify's accounts service and Web API, for what this site uses. A developer's tool.

No code of the site uses it: the site is pointed at it by ``SPOTIFY_ACCOUNTS_URL`` and ``SPOTIFY_API_URL``.
"""
