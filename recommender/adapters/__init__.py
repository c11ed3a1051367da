"""Adapters between the database or files and the engine: rows become arrays, and the engine's results become rows."""
