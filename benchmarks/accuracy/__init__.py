"""How well songs are recommended."""
