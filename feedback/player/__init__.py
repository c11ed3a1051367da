"""The endpoints of the player's script."""
