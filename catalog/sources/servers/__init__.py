"""Music servers and folders: connect, read, disable."""
