"""All uses of private parts of Django, django-allauth and django-ninja.

`accounts/tests/test_compat.py` names the versions it was tried with, and fails where they have changed.
"""

from collections.abc import Callable, Iterator
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.password_change import finalize_password_change
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate, get_reauthentication_flows
from allauth.account.internal.flows.signup import complete_signup
from allauth.account.internal.templatekit import get_entrance_context_data
from allauth.account.stages import LoginStageController
from allauth.core.internal.ratelimit import get_ip
from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import NinjaAPI
from ninja.operation import Operation

from accounts.models import User


class LoginAttemptsAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's adapter, with a public method for what failed log-ins are counted by."""

    def login_attempts_key(self, credentials: dict[str, Any]) -> str | None:
        """Return the key under which failed log-ins with ``credentials`` are counted, None for allauth's own."""
        return None

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        own = self.login_attempts_key(credentials)
        return str(super()._get_login_attempts_cache_key(request, **credentials)) if own is None else own


def client_address(request: HttpRequest) -> str:
    """Return the address a request comes from, cut to its network as allauth's own limits do with IPv6."""
    return str(get_ip(request))


def on_close(response: HttpResponseBase, call: Callable[[], object]) -> None:
    """Call ``call`` when ``response`` is closed, whether it was sent completely or not."""
    response._resource_closers.append(call)  # type: ignore[attr-defined]


def finish_password_change(request: HttpRequest, user: User) -> None:
    """Keep the session of ``request`` and write to the listener, as the page does after a new password."""
    finalize_password_change(request, user)


def second_step(request: HttpRequest) -> Any:
    """Return the two-factor step at which a log-in waits after the password, None if there is none."""
    return LoginStageController.enter(request, AuthenticateStage.key)


def finish_sign_up(request: HttpRequest, user: User) -> None:
    """Log a new listener in, or send the letter first. Raise ``ImmediateHttpResponse``."""
    complete_signup(request, user=user)


def has_recently_confirmed(request: HttpRequest) -> bool:
    """Return whether the listener has given the password within ``ACCOUNT_REAUTHENTICATION_TIMEOUT``."""
    return bool(did_recently_reauthenticate(request))


def can_confirm(user: User) -> bool:
    """Return whether the listener has a password or a second step to confirm with who they are."""
    return bool(get_reauthentication_flows(user))


def sign_up_context(request: HttpRequest) -> dict[str, Any]:
    """Return what allauth's own view puts into the sign-up page beside the form."""
    return dict(get_entrance_context_data(request))


def response_of(operation: Operation, request: HttpRequest, result: Any) -> HttpResponseBase:
    """Return the response that django-ninja makes of what the view of ``operation`` returned."""
    blank = operation.api.create_temporal_response(request)
    return operation._result_to_response(request, result, blank)


def operations_of(api: NinjaAPI) -> Iterator[Operation]:
    """Return the operations of all routers of ``api``, as they are bound to it."""
    for router in api._get_bound_routers():
        for path in router.path_operations.values():
            yield from path.operations
