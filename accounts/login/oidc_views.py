"""To the provider of OpenID Connect and back, and the end of a connection with it."""

import logging
from collections.abc import Callable
from typing import cast

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from accounts.compat import can_confirm, has_recently_confirmed
from accounts.login.oidc import PROVIDER
from accounts.models import User

logger = logging.getLogger(__name__)


@never_cache
@require_POST
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send somebody to the provider: to log in, or to connect the account they are logged in to."""
    _require(provider_id)
    process = AuthProcess.LOGIN
    if request.user.is_authenticated:
        if not has_recently_confirmed(request):
            return redirect("account_reauthenticate")
        process = AuthProcess.CONNECT
    return _reached(request, lambda: _lead_on(request, process))


def _lead_on(request: HttpRequest, process: AuthProcess) -> HttpResponse:
    """Return a page that leads to the provider by itself.

    A redirect would be part of the form's submission, which the browser allows for hosts that the policy lists
    (``form-action``). The provider's log-in page may have any host, and may lead on to others.
    """
    answer = get_adapter().get_provider(request, PROVIDER).redirect(request, process)
    return render(request, "accounts/oidc_lead_on.html", {"address": answer["Location"]})


@never_cache
@require_GET
@sensitive_variables()
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take somebody back from the provider. State and PKCE are checked by allauth."""
    _require(provider_id)
    return _reached(request, lambda: cast(HttpResponse, openid_connect.callback(request, PROVIDER)))


@login_required
@require_POST
def disconnect(request: HttpRequest, provider_id: str) -> HttpResponse:
    """End the connection, unless there is no other way to log in."""
    _require(provider_id)
    user = cast(User, request.user)
    if not has_recently_confirmed(request):
        return redirect("account_reauthenticate")
    if not can_confirm(user):
        messages.error(request, _("Choose a password first, or you couldn't log in any more."))
        return redirect("account_set_password")
    SocialAccount.objects.filter(user=user, provider=PROVIDER).delete()
    messages.success(request, _("%(name)s no longer logs you in.") % {"name": settings.OIDC_NAME})
    return redirect("accounts:profile")


def _reached(request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """Return the answer, or a page of ours where the provider is away or answers with something else."""
    try:
        return answer()
    except (requests.RequestException, ImproperlyConfigured, KeyError, ValueError) as error:
        # allauth calls a name that is too long for it a mistake of the configuration.
        logger.warning("the OpenID Connect provider gave no good answer: %s", type(error).__name__)
        messages.error(request, _("%(name)s can't be reached just now.") % {"name": settings.OIDC_NAME})
        return redirect("accounts:profile" if request.user.is_authenticated else "account_login")


def _require(provider_id: str) -> None:
    if not settings.OIDC_SERVER_URL or provider_id != PROVIDER:
        raise Http404("no OpenID Connect provider is configured")
