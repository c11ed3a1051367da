"""HTML and SVG drawn in Python."""
