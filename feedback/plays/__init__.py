"""The listening history."""
