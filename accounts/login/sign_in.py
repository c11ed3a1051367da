"""Log-in, sign-up and log-out for the API: the same forms and letters as the pages, and below the same limits."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.forms import BaseForm
from django.http import HttpRequest

from accounts.compat import finish_sign_up
from accounts.forms import LoginForm, SignupForm

# How long allauth's limits for log-in and sign-up last at most; it does not say when a single one ends.
WAIT_SECONDS = 60
LOCKED_SECONDS = 300


class TooManyAttemptsError(Exception):
    """A rate limit of log-in or sign-up was reached; ``seconds`` until the next attempt is worth a try."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


class RefusedError(Exception):
    """The form was refused: ``form.errors`` say why."""

    def __init__(self, form: BaseForm) -> None:
        super().__init__(form.errors.as_json())
        self.form = form


def log_in(request: HttpRequest, answers: dict[str, Any]) -> bool:
    """Log in; False where the address has to be confirmed first or the account is closed.

    Raises ``TooManyAttemptsError`` and ``RefusedError``.
    """
    form = LoginForm(answers, request=request)
    if not form.is_valid():
        if form.has_error("__all__", "too_many_login_attempts"):
            raise TooManyAttemptsError(LOCKED_SECONDS)
        raise RefusedError(form)
    try:
        form.login(request)
    except ImmediateHttpResponse:
        return False
    return bool(request.user.is_authenticated)


def sign_up(request: HttpRequest, answers: dict[str, Any]) -> bool:
    """Make an account and log in; False where the address has to be confirmed first.

    Where letters are sent, an address that has an account gets one that says so, and the answer here is the same.
    Raises ``RefusedError``.
    """
    form = SignupForm({**answers, "password1": answers["password"], "password2": answers["password"]})
    if not form.is_valid():
        raise RefusedError(form)
    user, _answer = form.try_save(request)
    if user is None and form.errors:
        raise RefusedError(form)
    if user is not None:
        try:
            finish_sign_up(request, user)
        except ImmediateHttpResponse:
            return False
    return bool(request.user.is_authenticated)


def log_out(request: HttpRequest) -> None:
    """End the session."""
    get_adapter().logout(request)
