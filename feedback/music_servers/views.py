"""The pages of music servers: link and unlink the listener's account there."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.limits.limiter import limit_of, limited, too_many, wait_of, wait_seconds
from catalog.models import MusicServer
from feedback.music_servers.codes import SECONDS, create_code
from feedback.music_servers.forms import LinkForm, PushForm
from feedback.music_servers.marks import request_marks
from feedback.music_servers.pushing import request_push, stop_renewing
from feedback.music_servers.selectors import accounts_of, linkable_servers, pushed_of
from feedback.music_servers.services import (
    AwayError,
    LinkError,
    TakenError,
    UnsafeError,
    WrongLoginError,
    link_account,
    unlink_account,
)
from feedback.web.http import listener_of, listener_required, page_of, redirect_back

_TEXTS: dict[type[LinkError], str | Promise] = {
    WrongLoginError: gettext_lazy("The music server doesn't accept this log-in. Check the username and password."),
    AwayError: gettext_lazy("The music server doesn't respond as it should. Try again later."),
    TakenError: gettext_lazy("Another listener of this site has linked this account. Use your own account there."),
    UnsafeError: gettext_lazy("An API key can't be sent safely to this server. Use your username and password."),
}


@require_safe
@never_cache
@listener_required
def servers(request: HttpRequest) -> HttpResponse:
    """Show the site's music servers, and which of them the listener has linked."""
    accounts = {account.server_id: account for account in accounts_of(listener_of(request))}
    rows = [(server, accounts.get(server.pk)) for server in linkable_servers()]
    page = page_of(request, pushed_of(listener_of(request)))
    return render(request, "feedback/music_servers.html", {"rows": rows, "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@listener_required
def link(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Ask for the log-in at a server, and link the account if the server accepts it."""
    user, server = listener_of(request), get_object_or_404(linkable_servers(), pk=pk)
    form = LinkForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if seconds := _wait_of_guess(request, server, form.cleaned_data["username"]):
            return too_many(request, seconds)
        try:
            account = link_account(user=user, server=server, **form.cleaned_data)
        except LinkError as error:
            form.add_error(None, str(_TEXTS[type(error)]))
        else:
            if account.are_marks_read:
                request_marks(account=account)
            messages.success(request, _("Your account on “%(server)s” is linked.") % {"server": server.shown_name})
            return redirect("feedback:music_servers")
    context = {"form": form, "server": server}
    return render(request, "feedback/music_server_link.html", context, status=422 if form.errors else 200)


@require_POST
@never_cache
@listener_required
@limited("server_login")
def code(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show a code with which a player links the account, this once."""
    server = get_object_or_404(linkable_servers(), pk=pk, is_proxied=True)
    text = create_code(user=listener_of(request), server=server)
    context = {"form": LinkForm(), "server": server, "code": text, "minutes": SECONDS // 60}
    return render(request, "feedback/music_server_link.html", context)


@require_POST
@listener_required
def unlink(request: HttpRequest, pk: int) -> HttpResponse:
    """Unlink the listener's account at a server."""
    account = get_object_or_404(accounts_of(listener_of(request)), pk=pk)
    unlink_account(account=account)
    messages.success(
        request, _("Your account on “%(server)s” is no longer linked.") % {"server": account.server.shown_name}
    )
    return redirect("feedback:music_servers")


@require_POST
@listener_required
@limited("search")
def read_marks(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Read the stars and ratings at a server again."""
    accounts = accounts_of(listener_of(request)).filter(are_marks_read=True)
    account = get_object_or_404(accounts, pk=pk)
    request_marks(account=account)
    messages.success(
        request, _("We're reading your stars and ratings on “%(server)s”.") % {"server": account.server.shown_name}
    )
    return redirect("feedback:music_servers")


@require_POST
@listener_required
@limited("search")
def push(request: HttpRequest) -> HttpResponse:
    """Put a list on one of the listener's servers, or renew it there."""
    form = PushForm(request.POST, user=listener_of(request))
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
    pushed = request_push(**form.cleaned_data)
    names = {"name": pushed.title, "server": pushed.account.server.shown_name}
    messages.success(request, _("“%(name)s” will be on “%(server)s” in a moment.") % names)
    return redirect_back(request)


@require_POST
@listener_required
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Renew a list no more."""
    pushed = get_object_or_404(pushed_of(listener_of(request)), pk=pk)
    stop_renewing(pushed=pushed)
    names = {"name": pushed.title, "server": pushed.account.server.shown_name}
    messages.success(request, _("“%(name)s” stays on “%(server)s” as it is. We no longer update it.") % names)
    return redirect("feedback:music_servers")


def _wait_of_guess(request: HttpRequest, server: MusicServer, username: str) -> int:
    """Count a guess, for the listener and for the account there; return the seconds to wait, 0 if it is allowed."""
    target = f"account {server.pk} {username.casefold()}"
    return wait_of(request, "server_login") or wait_seconds(limit_of("server_login"), target)
