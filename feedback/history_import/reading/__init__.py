"""Reading listening histories of many formats into plays. Needs no database."""
