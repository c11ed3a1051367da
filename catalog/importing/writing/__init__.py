"""Writes checked rows to the database."""
