"""Accounts of listeners at the music servers that the operator connected."""
