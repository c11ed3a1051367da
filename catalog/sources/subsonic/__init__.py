"""Servers that speak OpenSubsonic: Navidrome, gonic, supysonic and others."""
