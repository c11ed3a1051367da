"""Log-in, sign-up and log-out for the API, with the same forms, e-mails and limits as the pages."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.forms import BaseForm
from django.http import HttpRequest

from accounts.compat import finish_sign_up, second_step
from accounts.forms import LoginForm, SignupForm
from accounts.two_factor.forms import AuthenticateForm

# How long allauth's limits for log-in and sign-up last at most; it does not say when a single one ends.
WAIT_SECONDS = 60
LOCKED_SECONDS = 300


class TooManyAttemptsError(Exception):
    """A rate limit of log-in or sign-up was reached; ``seconds`` until the next attempt is worth a try."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


class SignUpClosedError(Exception):
    """Nobody signs up here: a proxy says who there is."""


class CodeNeededError(Exception):
    """The account has two-factor authentication: log-in asks for a code as well."""


class CodeRefusedError(Exception):
    """The code was refused; the message says why."""


class RefusedError(Exception):
    """The form was refused: ``form.errors`` say why."""

    def __init__(self, form: BaseForm) -> None:
        super().__init__(form.errors.as_json())
        self.form = form


def log_in(request: HttpRequest, answers: dict[str, Any]) -> bool:
    """Log in; False where the address has to be confirmed first or the account is closed.

    Raise ``TooManyAttemptsError``, ``RefusedError``, and after the right password ``CodeNeededError`` and
    ``CodeRefusedError``.
    """
    form = LoginForm(answers, request=request)
    if not form.is_valid():
        if form.has_error("__all__", "too_many_login_attempts"):
            raise TooManyAttemptsError(LOCKED_SECONDS)
        raise RefusedError(form)
    try:
        form.login(request)
        if (step := second_step(request)) is not None:
            _take_second_step(step, answers.get("code") or "")
    except ImmediateHttpResponse:
        return False
    return bool(request.user.is_authenticated)


def _take_second_step(step: Any, code: str) -> None:
    form = AuthenticateForm({"code": code}, user=step.login.user)
    if code and form.is_valid():
        form.save()
        step.exit()
        return
    # An incomplete log-in must not stay in the session.
    step.abort()
    if not code:
        raise CodeNeededError
    if form.has_error("code", "too_many_login_attempts"):
        raise TooManyAttemptsError(LOCKED_SECONDS)
    raise CodeRefusedError(str(form.errors["code"][0]))


def sign_up(request: HttpRequest, answers: dict[str, Any]) -> bool:
    """Make an account and log in; False where the address has to be confirmed first.

    Where letters are sent, an address that has an account gets one that says so, and the answer here is the same.
    Raise ``RefusedError``, and ``SignUpClosedError`` where nobody signs up.
    """
    if not get_adapter().is_open_for_signup(request):
        raise SignUpClosedError
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
