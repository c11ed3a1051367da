"""A message with the way back: what a page without JavaScript shows after a click."""

from django.contrib import messages
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from feedback.http import return_address

_UNDO = (
    '<form class="undo-form" method="post" action="{url}"><input type="hidden" name="csrfmiddlewaretoken"'
    ' value="{csrf}">{fields}<button class="btn btn-sm btn-outline-secondary" type="submit">{undo}</button></form>'
)


def undo_form(request: HttpRequest, url: str, **fields: object) -> SafeString:
    """Return a button that posts ``fields`` to ``url`` and comes back to the open page."""
    sent = {"next": return_address(request), **fields}
    hidden = format_html_join("", '<input type="hidden" name="{}" value="{}">', ((k, str(v)) for k, v in sent.items()))
    return format_html(_UNDO, url=url, csrf=get_token(request), fields=hidden, undo=gettext("Undo"))


def say_with_undo(request: HttpRequest, text: str, url: str, **fields: object) -> None:
    """Say on the next page what was done, beside a button that takes it back."""
    messages.success(request, format_html("<span>{}</span> {}", text, undo_form(request, url, **fields)), "with-undo")
