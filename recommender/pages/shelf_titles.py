"""What stands above the sections of "For you"."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.regions import region_in_sentence
from catalog.identity.text import base_title
from recommender.pages.for_you import ForYouSection

_TITLES = {
    "made": gettext_lazy("Made for you"),
    "because": gettext_lazy("Because of your songs"),
    "again": gettext_lazy("Listen again"),
    "new": gettext_lazy("From artists new to you"),
    "fresh": gettext_lazy("New from your artists"),
    "forgotten": gettext_lazy("Forgotten favourites"),
    "artists": gettext_lazy("More from your artists"),
    "popular": gettext_lazy("Popular on this site"),
    "week": gettext_lazy("Your week"),
}


def shelf_name(name: str) -> str:
    """Return what a section is called where no listener is in view; its own name for one that is gone."""
    return str(_TITLES.get(name, name))


def section_title(section: ForYouSection, user: User, *, is_known: bool = True) -> str:
    """Return what stands above a section; of a listener who is not ``is_known`` nothing was learned yet."""
    if section.name == "made" and not is_known:
        return _("Popular to start with")
    if section.name == "because" and section.anchor is not None:
        song = {"song": base_title(section.anchor.title)}
        pattern = _("Because you like %(song)s") if section.stance == "liked" else _("Because you listen to %(song)s")
        return pattern % song
    if section.name == "popular" and user.region:
        # The names of all regions are put together for it: for this section alone.
        return _("Popular in %(region)s") % {"region": region_in_sentence(user.region)}
    return str(_TITLES[section.name])
