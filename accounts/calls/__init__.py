"""The calls about accounts and access tokens."""
