"""Confirms a listener's identity: by the password, or by a recent log-in."""

import time

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.core import ratelimit
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.apikit.auth import listener_of, too_many_calls
from accounts.apikit.problems import ProblemError
from accounts.compat import can_confirm
from accounts.forms import DeleteAccountForm
from accounts.login.sign_in import WAIT_SECONDS
from accounts.models import ApiToken


def confirm_identity(request: HttpRequest, password: str | None) -> None:
    """Raise a 401 unless ``password`` is the listener's, or the session's log-in is a few minutes old at most."""
    user = listener_of(request)
    if password is None:
        is_program = isinstance(getattr(request, "auth", None), ApiToken)
        # Whom a proxy or a provider logs in may have nothing here to confirm it with.
        if not is_program and (_has_just_logged_in(request) or not can_confirm(user)):
            return
        message = _("Send your password as well, or log in again first.")
        raise ProblemError(401, message, fields=[("body.password", message)])
    if not ratelimit.consume(request, action="reauthenticate", user=user):
        raise too_many_calls(WAIT_SECONDS)
    form = DeleteAccountForm({"password": password}, user=user)
    if not form.is_valid():
        message = str(next(iter(form.errors.values()))[0])
        raise ProblemError(401, message, fields=[("body.password", message)])


def confirm_by_password(request: HttpRequest, password: str | None) -> None:
    """Raise a 401 unless ``password`` is the listener's, or there is nothing here that they could confirm with."""
    confirm_identity(request, (password or "") if can_confirm(listener_of(request)) else None)


def _has_just_logged_in(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    return bool(records) and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT
