"""Where songs come from beside files."""
