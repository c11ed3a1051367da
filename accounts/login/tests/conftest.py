"""The fixtures of the app's tests, for those of the log-in."""

from accounts.tests.conftest import listener, other, user

__all__ = ["listener", "other", "user"]
