"""What is kept of a listener, as a file for them."""
