"""Listeners who answer, models that are retrained in between, and what exploring earns over many pages."""
