"""Template tags and filters of the recommender's pages."""

from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from recommender.blends.selectors import blends_of, invitations_of
from recommender.operators.dashboard import Counts, counts
from recommender.pages.for_you import ForYouSection
from recommender.pages.rendering import feed_row
from recommender.pages.shelf_titles import shelf_name
from recommender.weekly.selectors import current_list, tracks_of

register = template.Library()
BLENDS_SHOWN = 5


@register.filter
def percent(share: float) -> str:
    """Return a share of 0..1 as a percentage with one decimal."""
    return number_format(f"{100 * share:.1f}") + " %"


_POLICIES = {"thompson": gettext_lazy("Exploring"), "greedy": gettext_lazy("Not exploring")}


@register.filter
def policy_words(policy: str) -> str:
    """Return what operators call the way in which songs were picked."""
    return str(_POLICIES.get(policy, policy))


register.filter("shelf_name", shelf_name)


@register.simple_tag
def site_counts() -> Counts:
    """Return what there is on the site, for operators."""
    return counts()


@register.simple_tag(takes_context=True)
def feed_rows(context: template.Context, section: ForYouSection) -> SafeString:
    """Return the songs of a section as items of a list."""
    return mark_safe("".join(feed_row(context["request"], section.name, item) for item in section.items))  # noqa: S308


@register.inclusion_tag("recommender/_week_card.html", takes_context=True)
def week_card(context: template.Context) -> dict[str, Any]:
    """Return the context of the current weekly list, empty before the first; two queries."""
    request = context["request"]
    weekly_list = current_list(request.user)
    if weekly_list is None:
        return {}
    columns = ("recording_key", "features", "cover_url")
    tracks = list(tracks_of(weekly_list).only(*columns))
    return {"request": request, "weekly_list": weekly_list, "tracks": tracks} if tracks else {}


@register.inclusion_tag("recommender/_blend_links.html", takes_context=True)
def blend_links(context: template.Context) -> dict[str, Any]:
    """Return the context of the listener's blends and invitations on For you; two queries."""
    user = context["request"].user
    blends = blends_of(user).prefetch_related(None)[:BLENDS_SHOWN]
    return {"blends": blends, "invitations": invitations_of(user).prefetch_related(None)[:BLENDS_SHOWN]}
