"""Bringing checked rows into the database."""
