"""The protocols of players: ListenBrainz, Last.fm 2.0 and AudioScrobbler 1.2."""
