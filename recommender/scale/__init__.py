"""For more than a million songs, or more than one machine."""
