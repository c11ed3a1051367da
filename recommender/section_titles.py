"""What stands above the sections of "For you"."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from catalog.text import base_title
from recommender.home import HomeSection

_TITLES = {
    "made": gettext_lazy("Made for you"),
    "because": gettext_lazy("Because of what you like"),
    "new": gettext_lazy("New for you"),
    "artists": gettext_lazy("More from artists you like"),
    "popular": gettext_lazy("Popular here"),
}


def section_title(section: HomeSection, user: User) -> str:
    """Return what stands above a section."""
    if section.name == "because" and section.anchor is not None:
        return _("Because you like %(song)s") % {"song": base_title(section.anchor.title)}
    if section.name == "popular" and user.region:
        # The names of all regions are put together for it: for this section alone.
        return _("Popular in %(region)s") % {"region": user.get_region_display()}
    return str(_TITLES[section.name])
