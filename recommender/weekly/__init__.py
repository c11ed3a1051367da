"""A list of songs for each listener and week: made, listened to, judged, and followed by feed or email."""
