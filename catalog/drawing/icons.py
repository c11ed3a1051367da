"""Icons of the packaged sprite, for templates (the tag ``icon``) and for HTML built in Python."""

from functools import cache

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString


@cache
def icon(name: str) -> SafeString:
    """Return an icon of the packaged sprite; it is decoration, so screen readers pass over it.

    Cached, because a list of songs needs the same few icons a hundred times.
    """
    sprite = static("vendor/icons.svg")
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', sprite, name)
