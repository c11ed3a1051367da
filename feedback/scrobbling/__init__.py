"""Plays that players and music servers tell while they happen: scrobbles."""
