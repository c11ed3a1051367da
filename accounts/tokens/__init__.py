"""Personal tokens for programs."""
