"""Words for the sound of a taste."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_WORDS: Mapping[str, tuple[Promise, Promise]] = {
    "energy": (_("calm"), _("energetic")),
    "danceability": (_("not very danceable"), _("danceable")),
    "valence": (_("gloomy"), _("cheerful")),
    "acousticness": (_("electric"), _("acoustic")),
    "instrumentalness": (_("vocal"), _("instrumental")),
    "speechiness": (_("light on words"), _("wordy")),
    "tempo": (_("slow"), _("fast")),
    "loudness": (_("quiet"), _("loud")),
}
# Shares of the usual range below and above which a feature gets a word.
_LOW, _HIGH = 0.3, 0.7


def sound_words(ranges: Mapping[str, tuple[float, float, float]]) -> list[str]:
    """Return up to four words for the features in which a taste differs most from the catalogue.

    ``ranges``: by feature, the median of the listener's songs and the ends of the catalogue's usual range.
    """
    words = []
    for name, (middle, low, high) in ranges.items():
        if name not in _WORDS or high <= low:
            continue
        position = (middle - low) / (high - low)
        if position < _LOW or position > _HIGH:
            words.append((-abs(position - 0.5), str(_WORDS[name][position > _HIGH])))
    return [word for _strength, word in sorted(words)][:4]
