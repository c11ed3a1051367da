"""What was listened to: the history of plays."""
