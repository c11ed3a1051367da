"""The page of the listener's taste."""
