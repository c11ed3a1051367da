"""Sources of songs besides files."""
