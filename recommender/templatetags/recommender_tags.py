"""Template filters of the recommender's pages."""

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """Return a share of 0..1 as a percentage with one decimal."""
    return f"{number_format(100 * share, 1)} %"
