"""The views of the pages: they authorise, parse, call and render."""
