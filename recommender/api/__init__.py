"""The calls of the API about recommendations, the player and the models."""
