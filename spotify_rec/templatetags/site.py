"""Template tags of the page frame: icons, navigation, query strings."""

from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse

from catalog.drawing.icons import icon

register = template.Library()
register.simple_tag(icon)


@register.inclusion_tag("_nav_link.html", takes_context=True)
def nav_link(
    context: template.Context, view_name: str, text: str, icon_name: str, extra_class: str = ""
) -> dict[str, Any]:
    """Return the context of one navigation link, marked when it leads to the page that is open."""
    request: HttpRequest = context["request"]
    url = reverse(view_name)
    is_current = request.path == url
    return {"url": url, "text": text, "icon_name": icon_name, "extra_class": extra_class, "is_current": is_current}


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
