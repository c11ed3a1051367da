"""A listener with an authenticator app, and the codes it shows."""

from collections.abc import Callable, Iterator

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value

from accounts.models import User
from accounts.tests.conftest import listener, other, user

__all__ = ["clock", "code_at", "listener", "other", "secured", "user"]
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOON = 1_796_040_000


def code_at(steps: int = 0, secret: str = SECRET) -> str:
    """Return the code of so many half minutes after noon."""
    return str(format_hotp_value(hotp_value(secret, NOON // 30 + steps)))


@pytest.fixture
def clock() -> Iterator[Callable[[float], None]]:
    """Stop the clock at noon; return what moves it on by seconds."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller.shift


@pytest.fixture
def secured(user: User, clock: Callable[[float], None]) -> User:
    """Return `user` with an app and recovery codes."""
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)
    assert Authenticator.objects.count() == 2
    return user
