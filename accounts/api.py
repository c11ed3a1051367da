"""Calls about the account: registration, log-in, profile."""

from typing import Any

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router, Status

from accounts import services, sign_in
from accounts.apikit.auth import (
    LISTENER,
    SESSION_ONLY,
    limits,
    listener_of,
    refuse_other_sites,
    too_many_calls,
)
from accounts.apikit.problems import answers, example_answer, file_answer, refuse_form
from accounts.export_views import export_response
from accounts.forms import DeleteAccountForm, ProfileForm
from accounts.models import User
from accounts.schemas import DeleteIn, LoginIn, ProfileIn, ProfileOut, RegisterIn, SessionOut

router = Router(tags=["account"])
_ROWS = example_answer({"feedback.Rating": [{"id": 1, "user": 7, "track": 1482, "value": 1}]})
_BODY = (400, 413, 415)


@router.post("/auth/register", auth=None, response=answers(SessionOut, 403, *_BODY, is_public=True, status=201))
def register(request: HttpRequest, body: RegisterIn) -> Any:
    """Make an account and log in.

    Where the site sends letters, the address has to be confirmed first (`is_logged_in` is false), and the answer is
    the same whether or not the address has an account.
    """
    refuse_other_sites(request)
    return Status(201, _session(request, sign_in.sign_up, body.dict()))


@router.post("/auth/login", auth=None, response=answers(SessionOut, 403, *_BODY, is_public=True))
def login(request: HttpRequest, body: LoginIn) -> Any:
    """Log in with username or e-mail address; answers with the session's cookie."""
    refuse_other_sites(request)
    return _session(request, sign_in.log_in, body.dict())


@router.get("/auth/logout", auth=None, response=answers(None, 403, is_public=True, status=204))
def logout(request: HttpRequest) -> Any:
    """End the session; without one nothing happens. Refused when a page of another site asks."""
    refuse_other_sites(request)
    sign_in.log_out(request)
    return Status(204, None)


@router.post("/auth/logout", auth=None, response=answers(None, 403, is_public=True, status=204))
def logout_by_post(request: HttpRequest) -> Any:
    """End the session; without one nothing happens."""
    SESSION_ONLY[0](request)
    sign_in.log_out(request)
    return Status(204, None)


@router.get("/user/profile", auth=LISTENER, response=answers(ProfileOut))
def profile(request: HttpRequest) -> Any:
    """Who you are, and how you want recommendations."""
    return listener_of(request)


@router.put("/user/profile", auth=LISTENER, response=answers(ProfileOut, *_BODY))
def change_profile(request: HttpRequest, body: ProfileIn) -> Any:
    """Change how you want recommendations; all three values are needed."""
    user = User.objects.get(pk=listener_of(request).pk)
    form = ProfileForm(body.dict(), instance=user)
    if not form.is_valid():
        raise refuse_form(form)
    return form.save()


@router.delete("/user", auth=SESSION_ONLY, response=answers(None, *_BODY, status=204))
def delete_account(request: HttpRequest, body: DeleteIn) -> Any:
    """Delete your account with everything in it, at once and for good. Needs the password, and no token will do."""
    user = listener_of(request)
    if not ratelimit.consume(request, action="reauthenticate", user=user):
        raise too_many_calls(sign_in.WAIT_SECONDS)
    form = DeleteAccountForm(body.dict(), user=user)
    if not form.is_valid():
        raise refuse_form(form)
    services.delete_account(user=user)
    sign_in.log_out(request)
    return Status(204, None)


@router.get(
    "/user/export",
    auth=LISTENER,
    throttle=limits("api", "export"),
    response=answers(dict[str, list[Any]]),
    openapi_extra=_ROWS,
)
def export(request: HttpRequest) -> Any:
    """Everything the site keeps about you, as one JSON object: the rows of each table under its name."""
    return export_response(listener_of(request), "json")


@router.get(
    "/user/export.zip",
    auth=LISTENER,
    throttle=limits("api", "export"),
    response=answers(bytes),
    openapi_extra=file_answer("application/zip"),
)
def export_csv(request: HttpRequest) -> Any:
    """Everything the site keeps about you, as a zip archive of CSV files."""
    return export_response(listener_of(request), "zip")


def _session(request: HttpRequest, enter: Any, values: dict[str, Any]) -> dict[str, Any]:
    try:
        is_logged_in = enter(request, values)
    except sign_in.TooManyAttemptsError as error:
        raise too_many_calls(error.seconds) from error
    except sign_in.RefusedError as error:
        raise refuse_form(error.form) from error
    # What allauth has to say ("You have signed in as ...") belongs to pages.
    list(messages.get_messages(request))
    return {"is_logged_in": is_logged_in, "csrf_token": get_token(request)}
