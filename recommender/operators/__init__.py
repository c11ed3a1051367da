"""What operators are shown of the site and of the quality of its recommendations."""
