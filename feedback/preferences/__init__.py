"""Stated preferences: favourite genres and artists, blocks, exclusions and adjustments."""
