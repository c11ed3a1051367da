"""What account pages say about this site's set-up."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def letters_are_printed() -> bool:
    """Return whether letters go to the server's console for want of a mail server."""
    return not settings.EMAIL_URL
