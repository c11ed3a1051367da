"""How often one may come."""
