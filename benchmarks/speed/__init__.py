"""How long pages and the engine take."""
