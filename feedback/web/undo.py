"""Messages with an undo button, on the next page or on the open one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django_htmx.http import reswap, trigger_client_event

from feedback.web.http import return_address

_UNDO = (
    '<form class="undo-form" method="post" action="{url}"{in_place}><input type="hidden" name="csrfmiddlewaretoken"'
    ' value="{csrf}">{fields}<button class="btn btn-sm btn-outline-secondary" type="submit">{undo}</button></form>'
)


# The page stays as it is; the answer is another message (`answer_in_place`).
_IN_PLACE = ' hx-post="{}" hx-target="#messages" hx-select="unset" hx-swap="none"'


def undo_form(request: HttpRequest, url: str, *, is_in_place: bool = False, **fields: Any) -> SafeString:
    """Return a button that posts ``fields`` to ``url`` and comes back to the open page, or never leaves it."""
    sent = {"next": return_address(request), **fields}
    hidden = format_html_join("", '<input type="hidden" name="{}" value="{}">', ((k, str(v)) for k, v in sent.items()))
    in_place = format_html(_IN_PLACE, url) if is_in_place else ""
    return format_html(_UNDO, url=url, in_place=in_place, csrf=get_token(request), fields=hidden, undo=gettext("Undo"))


def flash_with_undo(request: HttpRequest, text: str, url: str, **fields: Any) -> None:
    """Say on the next page what was done, beside a button that takes it back."""
    messages.success(request, _with_undo(text, undo_form(request, url, **fields)), "with-undo")


def answer_in_place(request: HttpRequest, text: str, undo_url: str = "", **fields: Any) -> HttpResponse:
    """Answer htmx with a message alone: the open page shows it, a sheet that is open closes."""
    if undo_url:
        way_back = undo_form(request, undo_url, is_in_place=True, **fields)
        messages.success(request, _with_undo(text, way_back), "with-undo")
    else:
        messages.success(request, text)
    answer = reswap(render(request, "_messages_in_place.html"), "none")
    return trigger_client_event(answer, "close-sheet")


def _with_undo(text: str, way_back: SafeString) -> SafeString:
    return format_html("<span>{}</span> {}", text, way_back)
