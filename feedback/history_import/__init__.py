"""Bringing a listener's past along: listening histories exported from elsewhere.

source -> formats -> matching -> writing -> job: each knows only those before it.
"""
