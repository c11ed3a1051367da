"""What happens while things go wrong: kills, races, and changes in the middle."""
