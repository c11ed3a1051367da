"""What the listener says of their taste: genres and artists liked, blocks, what counts and how much."""
