"""The sound of a taste in words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_WORDS: Mapping[str, tuple[Promise, Promise]] = {
    "energy": (_("calm"), _("full of energy")),
    "danceability": (_("not for dancing"), _("good for dancing")),
    "valence": (_("dark"), _("cheerful")),
    "acousticness": (_("electric"), _("acoustic")),
    "instrumentalness": (_("sung"), _("instrumental")),
    "speechiness": (_("few in words"), _("rich in words")),
    "tempo": (_("slow"), _("fast")),
    "loudness": (_("quiet"), _("loud")),
}
# Parts of the usual range below and above which a taste is worth a word.
_LOW, _HIGH = 0.3, 0.7


def sound_words(places: Mapping[str, tuple[float, float, float]]) -> list[str]:
    """Return words for the features in which a taste differs from the catalogue.

    ``places``: by feature, the middle of the listener's songs and the ends of the catalogue's usual range.
    """
    told = []
    for name, (middle, low, high) in places.items():
        if name not in _WORDS or high <= low:
            continue
        place = (middle - low) / (high - low)
        if place < _LOW or place > _HIGH:
            told.append((-abs(place - 0.5), str(_WORDS[name][place > _HIGH])))
    return [word for _strength, word in sorted(told)][:4]
