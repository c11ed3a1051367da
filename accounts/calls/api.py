"""Calls about the account: registration, log-in, profile."""

from typing import Any

from allauth.account.forms import ChangePasswordForm
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.translation import gettext as _
from ninja import Router, Status

from accounts import services
from accounts.apikit.auth import (
    LISTENER,
    SESSION_ONLY,
    AccountLimit,
    SessionAuth,
    limits,
    listener_of,
    refuse_other_sites,
    require_own_page,
    too_many_calls,
)
from accounts.apikit.identity import confirm_by_password, confirm_identity
from accounts.apikit.problems import (
    ProblemError,
    example_response,
    file_response,
    refuse_form,
    responses,
    wrong_password,
)
from accounts.compat import finish_password_change
from accounts.forms import ChangeEmailForm, ProfileForm
from accounts.login import sign_in
from accounts.models import User
from accounts.personal_data.views import EXPORT_WAIT_SECONDS, ExportBusyError, export_response
from accounts.schemas import (
    DeleteIn,
    EmailIn,
    EmailOut,
    LoginIn,
    PasswordIn,
    ProfileIn,
    ProfileOut,
    RegisterIn,
    SessionOut,
)

router = Router(tags=["account"])
_ROWS = example_response({"feedback.Rating": [{"id": 1, "user": 7, "track": 1482, "value": 1}]})
_BODY = (400, 413, 415)


@router.post(
    "/auth/register",
    summary="Sign up",
    auth=None,
    throttle=[*limits("api"), AccountLimit("signup", sign_in.WAIT_SECONDS)],
    response=responses(SessionOut, 403, *_BODY, is_public=True, status=201),
)
def register(request: HttpRequest, body: RegisterIn) -> Any:
    """Create an account and log in.

    If the site sends email, the address has to be confirmed first (`is_logged_in` is false), and the response is the
    same whether or not the address already has an account.
    """
    refuse_other_sites(request)
    return Status(201, _session(request, sign_in.sign_up, body.dict()))


@router.post(
    "/auth/login",
    summary="Log in",
    auth=None,
    throttle=[*limits("api"), AccountLimit("login", sign_in.WAIT_SECONDS)],
    response=responses(SessionOut, 401, 403, *_BODY, is_public=True),
)
def login(request: HttpRequest, body: LoginIn) -> Any:
    """Log in with a username or email address. Returns the session cookie.

    If the account has two-factor authentication, a right password without `code` is answered with 401 and the code
    `mfa_required`. Access tokens need no code.
    """
    refuse_other_sites(request)
    return _session(request, sign_in.log_in, body.dict())


@router.get(
    "/auth/logout", summary="Log out (GET)", auth=None, response=responses(None, 403, is_public=True, status=204)
)
def logout(request: HttpRequest) -> Any:
    """End the session. Does nothing if there is none.

    Needs a request that the browser says is of our own page.
    """
    if request.user.is_authenticated:
        require_own_page(request)
    else:
        refuse_other_sites(request)
    sign_in.log_out(request)
    return Status(204, None)


@router.post("/auth/logout", summary="Log out", auth=None, response=responses(None, 403, is_public=True, status=204))
def logout_by_post(request: HttpRequest) -> Any:
    """End the session. Does nothing if there is none."""
    SessionAuth()(request)
    sign_in.log_out(request)
    return Status(204, None)


@router.get("/user/profile", summary="Get your profile", auth=LISTENER, response=responses(ProfileOut))
def profile(request: HttpRequest) -> Any:
    """Who you are, and your recommendation settings."""
    return listener_of(request)


@router.put("/user/profile", summary="Update your profile", auth=LISTENER, response=responses(ProfileOut, *_BODY))
def change_profile(request: HttpRequest, body: ProfileIn) -> Any:
    """Change your settings. A time zone that is left out stays as it is."""
    user = User.objects.get(pk=listener_of(request).pk)
    form = ProfileForm(body.dict(), instance=user)
    if body.time_zone is None:
        # A value that is not sent would empty it.
        del form.fields["time_zone"]
    if not form.is_valid():
        raise refuse_form(form)
    if body.recordings_only is not None:
        user.recordings_only = body.recordings_only
    if body.unheard_only is not None:
        user.unheard_only = body.unheard_only
    return form.save()


@router.put(
    "/user/password", summary="Change your password", auth=SESSION_ONLY, response=responses(None, *_BODY, status=204)
)
def change_password(request: HttpRequest, body: PasswordIn) -> Any:
    """Change your password. Needs a session, which stays logged in. Your other sessions are logged out."""
    user = listener_of(request)
    confirm_identity(request, body.password)
    new = body.new_password
    form = ChangePasswordForm(user, {"oldpassword": body.password, "password1": new, "password2": new})
    if not form.is_valid():
        raise refuse_form(form, {"password1": "new_password", "password2": "new_password", "oldpassword": "password"})
    form.save()
    finish_password_change(request, user)
    list(messages.get_messages(request))
    return Status(204, None)


@router.get("/user/email", summary="Get your email address", auth=LISTENER, response=responses(EmailOut))
def email_address(request: HttpRequest) -> Any:
    """Your email address, and the one that waits for its confirmation."""
    return _email(listener_of(request))


@router.put("/user/email", summary="Change your email address", auth=SESSION_ONLY, response=responses(EmailOut, *_BODY))
def change_email(request: HttpRequest, body: EmailIn) -> Any:
    """Change your email address. Needs a session. If the site sends email, follow the link we send to the new address.

    The response then has it as `pending`.
    """
    user = listener_of(request)
    confirm_by_password(request, body.password)
    form = ChangeEmailForm(user, {"email": body.email})
    if not form.is_valid():
        raise refuse_form(form)
    form.save(request)
    list(messages.get_messages(request))
    user.refresh_from_db()
    return _email(user)


def _email(user: User) -> dict[str, Any]:
    pending = EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).first()
    return {"email": user.email, "pending": pending.email if pending else None}


@router.delete("/user", summary="Delete your account", auth=SESSION_ONLY, response=responses(None, *_BODY, status=204))
def delete_account(request: HttpRequest, body: DeleteIn) -> Any:
    """Permanently delete your account and everything in it.

    Needs a session and your password, if you have one. Access tokens aren't accepted.
    """
    user = listener_of(request)
    confirm_by_password(request, body.password)
    try:
        services.delete_account(user=user)
    except services.AccountGoneError:
        sign_in.log_out(request)
        raise ProblemError(401, _("This account has already been deleted.")) from None
    sign_in.log_out(request)
    return Status(204, None)


@router.get(
    "/user/export",
    summary="Export your data as JSON",
    auth=LISTENER,
    throttle=limits("api", "export"),
    response=responses(dict[str, list[Any]]),
    openapi_extra=_ROWS,
)
def export(request: HttpRequest) -> Any:
    """Everything the site stores about you, as one JSON object with the rows of each table under its name."""
    return _export(request, "json")


@router.get(
    "/user/export.zip",
    summary="Export your data as CSV",
    auth=LISTENER,
    throttle=limits("api", "export"),
    response=responses(bytes),
    openapi_extra=file_response("application/zip"),
)
def export_csv(request: HttpRequest) -> Any:
    """Everything the site stores about you, as a zip archive of CSV files."""
    return _export(request, "zip")


def _export(request: HttpRequest, kind: str) -> Any:
    try:
        return export_response(listener_of(request), kind)
    except ExportBusyError as error:
        raise too_many_calls(EXPORT_WAIT_SECONDS) from error


def _session(request: HttpRequest, enter: Any, values: dict[str, Any]) -> dict[str, Any]:
    try:
        is_logged_in = enter(request, values)
    except sign_in.TooManyAttemptsError as error:
        raise too_many_calls(error.seconds) from error
    except sign_in.CodeNeededError as error:
        message = _("This account has two-factor authentication. Send a code as well.")
        raise ProblemError(401, message, fields=[("body.code", message)], code="mfa_required") from error
    except sign_in.CodeRefusedError as error:
        raise ProblemError(401, str(error), fields=[("body.code", str(error))]) from error
    except sign_in.SignUpClosedError as error:
        raise ProblemError(403, _("Nobody can sign up here.")) from error
    except sign_in.RefusedError as error:
        if enter is sign_in.log_in:
            raise wrong_password(error.form, field="body.password") from error
        raise refuse_form(error.form, {"password1": "password", "password2": "password"}) from error
    # What allauth has to say ("You have signed in as ...") belongs to pages.
    list(messages.get_messages(request))
    return {"is_logged_in": is_logged_in, "csrf_token": get_token(request)}
