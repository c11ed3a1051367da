"""Pages of the personal tokens with which a listener's programs call the API."""

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import TokenForm
from accounts.models import ApiToken, User
from accounts.tokens.services import TooManyTokensError, create_token, revoke_token


@never_cache
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """Show the listener's tokens and make a new one, whose key is shown this once."""
    user = cast(User, request.user)
    form = TokenForm(request.POST if request.method == "POST" else None)
    key = ""
    if form.is_valid():
        try:
            _token, key = create_token(user=user, **form.cleaned_data)
            form = TokenForm()
        except TooManyTokensError:
            form.add_error(
                None,
                _("You already have %(most)d access tokens, which is the limit. Revoke one first.")
                % {"most": settings.LISTENER_MAX_TOKENS},
            )
    context = {"form": form, "tokens": ApiToken.objects.filter(user=user), "key": key}
    return render(request, "accounts/tokens.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke a token."""
    token = get_object_or_404(ApiToken, pk=pk, user=cast(User, request.user))
    name = token.name
    revoke_token(token=token)
    messages.success(request, _("“%(name)s” has been revoked.") % {"name": name})
    return redirect("accounts:tokens")
