"""Songs of the database that are one recording, and recordings that only share a title."""
