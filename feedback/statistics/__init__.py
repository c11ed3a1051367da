"""What a listener's plays add up to."""
