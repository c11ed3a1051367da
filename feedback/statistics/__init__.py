"""Listening statistics."""
