"""Blends: two to six listeners, by invitation and consent, get a common list that is made anew each week."""
