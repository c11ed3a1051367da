"""Onboarding of new listeners."""
