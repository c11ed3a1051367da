"""Scrobbles: plays that players and music servers report while they happen."""
