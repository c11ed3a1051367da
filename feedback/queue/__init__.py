"""What a listener's player goes through."""
