"""Template tags of the page frame: icons, navigation, query strings."""

from functools import cache
from typing import Any

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Return an icon of the packaged sprite; it is decoration, so screen readers pass over it.

    Kept, as a list of songs asks for the same few icons a hundred times.
    """
    sprite = static("vendor/icons.svg")
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', sprite, name)


@register.inclusion_tag("_nav_link.html", takes_context=True)
def nav_link(context: template.Context, view_name: str, text: str, icon_name: str) -> dict[str, Any]:
    """Return the context of one navigation link, marked when it leads to the page that is open."""
    request: HttpRequest = context["request"]
    url = reverse(view_name)
    return {"url": url, "text": text, "icon_name": icon_name, "is_current": request.path == url}


@register.simple_tag(takes_context=True)
def query_string(context: template.Context, **changes: Any) -> str:
    """Return the address's query with ``changes`` made; ``None`` takes a parameter out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = value
    return f"?{query.urlencode()}"
