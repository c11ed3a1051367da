"""Music servers and folders: connecting, reading, switching off."""
