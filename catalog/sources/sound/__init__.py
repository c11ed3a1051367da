"""The recordings of a music server, played through the site."""
