"""Where a new listener starts."""
