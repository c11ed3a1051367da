"""Why a song was recommended, from its record: each term's part of the score as a bar, with what caused it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Artist, Genre, Track
from feedback.preferences import services as preference_services
from recommender.engine import TERMS
from recommender.models import Recommendation
from recommender.pages.explanations.phrases import Names, StoredCause, StoredReason, habit, heard, leading_cause, words

TERM_LABELS: Mapping[str, Promise] = {
    **{name: _(term.label) for name, term in TERMS.items()},
    "ease": _("Fits your songs as a whole"),
    "together": _("How these add up"),
    "fatigue": _("You skipped this artist today"),
    "answers": _("Listeners who like and skip what you do"),
    "exploration": _("Exploring"),
    "variety": _("Variety"),
    "plays": _("How often you played it"),
    "since": _("How long ago that was"),
}
TERM_NOTES: Mapping[str, Promise] = {
    "together": _("The effect of all parts combined, which no single part explains."),
    "answers": _("What else they like. It counts more with every skip and dislike of yours."),
    "exploration": _(
        "Chance. The more adventurous your setting, the more it favours songs and artists we know little about."
    ),
    "variety": _("Moved down because it is similar to a song further up."),
    "plays": _("A like counts as three plays."),
}
"""Of the parts that have no song, artist or genre behind them."""
CHART_WIDTH = 360
ROW_HEIGHT = 40
_MARGIN = 6
_BAR_HEIGHT = 12
# Parts that round to this on the page are not worth a line.
_LEAST = 0.005


@dataclass(frozen=True)
class CauseLine:
    """One thing that raised a term, in words; ``kind`` and ``id`` name what can be turned down or taken out.

    ``stance``: what the listener did with it; "none" where it is nothing of theirs, or an old record does not tell.
    """

    words: str
    kind: str
    id: int | str | None
    stance: str
    url: str = ""
    name: str = ""


@dataclass(frozen=True)
class TermBar:
    """One term's part of the score, in the chart's units; ``value`` is the part itself."""

    label: Promise | str
    value: float
    x: float
    width: float
    y: int
    causes: list[CauseLine]
    note: Promise | str = ""

    @property
    def bar_y(self) -> int:
        """Return where the bar begins, below its label."""
        return self.y + 20


@dataclass(frozen=True)
class Why:
    """All that is known of why a song was recommended. ``zero``: where in the chart a part of nothing lies.

    ``known``: what the listener did with it, in words.
    """

    bars: list[TermBar]
    total: float
    zero: float
    height: int
    leading: StoredCause | None
    known: tuple[str, ...] = ()


def recommendation_of(user: User, page: UUID, track_id: int) -> Recommendation | None:
    """Return the record of a song that was shown to ``user`` on a page."""
    recommendations = Recommendation.objects.filter(user=user, page=page, track_id=track_id).select_related("track")
    return recommendations.filter(track__is_active=True).first()


def why(recommendation: Recommendation) -> Why:
    """Return the arithmetic of a recorded recommendation as a chart, the largest part first; at most four queries."""
    reason: StoredReason = recommendation.reason
    names = Names.of([reason])
    parts = [(name, value) for name, value in reason["terms"].items() if abs(value) >= _LEAST]
    parts.sort(key=lambda part: -part[1])
    low = min([0.0, *(value for _name, value in parts)])
    high = max([0.0, *(value for _name, value in parts)])
    scale = (CHART_WIDTH - 2 * _MARGIN) / ((high - low) or 1.0)
    bars = [
        TermBar(
            label=TERM_LABELS.get(name, name),
            value=value,
            x=round(_MARGIN + scale * (min(value, 0.0) - low), 1),
            width=round(max(scale * abs(value), 1.5), 1),
            y=number * ROW_HEIGHT,
            causes=_causes(name, reason, names),
            note=TERM_NOTES.get(name, ""),
        )
        for number, (name, value) in enumerate(parts)
    ]
    zero = round(_MARGIN - scale * low, 1)
    known = tuple(text for text in (habit(reason), heard(reason)) if text)
    return Why(bars, recommendation.score, zero, len(bars) * ROW_HEIGHT, leading_cause(reason, names), known)


@transaction.atomic
def reject_reason(*, user: User, recommendation: Recommendation) -> Artist | Genre | None:
    """Note that the reason is wrong; return the artist or genre that counts half from now on, if it was one."""
    Recommendation.objects.filter(pk=recommendation.pk).update(is_reason_wrong=True)
    reason: StoredReason = recommendation.reason
    cause = leading_cause(reason, Names.of([reason]))
    if cause is None or cause["kind"] not in ("artist", "genre"):
        return None
    model: type[Artist] | type[Genre] = Artist if cause["kind"] == "artist" else Genre
    line: Artist | Genre | None = model._default_manager.filter(pk=cause["id"] or 0).first()
    if line is not None:
        preference_services.adjust(user=user, target=line, level="down")
    return line


def _causes(term: str, reason: StoredReason, names: Names) -> list[CauseLine]:
    lines = []
    for cause in reason["causes"]:
        if cause["term"] == term and (text := words(cause, names)):
            url, name = _link(cause, names)
            lines.append(CauseLine(text, cause["kind"], cause["id"], cause.get("stance", "none"), url, name))
    return lines


def _link(cause: StoredCause, names: Names) -> tuple[str, str]:
    known: dict[str, tuple[type[Artist | Genre | Track], Mapping[int, str]]] = {
        "artist": (Artist, names.artists),
        "genre": (Genre, names.genres),
        "track": (Track, names.tracks),
    }
    if cause["kind"] not in known or not isinstance(cause["id"], int):
        return "", ""
    model, names_by_id = known[cause["kind"]]
    return model(pk=cause["id"]).get_absolute_url(), names_by_id.get(cause["id"], "")
