"""The fixtures of the app's tests, for those of the log-in."""

from accounts.tests.conftest import listener, user

__all__ = ["listener", "user"]
