"""The play queue."""
