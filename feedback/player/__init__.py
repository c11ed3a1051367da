"""What the player's script asks and is answered."""
