"""From the arithmetic of a recommendation to a sentence a listener reads.

What the listener did decides the word, as the engine names it in each cause (`stance`): "like", "listen to", "chose",
or, of a song that was refused, "unlike". A record from before that was noted claims none of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from accounts.regions import region_in_sentence
from catalog.identity.compilers import is_compiler
from catalog.identity.text import base_title
from catalog.models import Artist, Genre, Track
from recommender.engine import TERMS

MAX_TOLD = 2
"""So many parts has a sentence: more is a table, not a reason."""


class StoredCause(TypedDict):
    """One cause as `Recommendation.reason` keeps it; ``id`` is a database id, or a region code.

    ``stance`` is that of `recommender.engine.terms.Cause`; old records have none.
    """

    term: str
    kind: str
    id: int | str | None
    value: float
    tracks: list[int]
    stance: NotRequired[str]


class StoredReason(TypedDict):
    """What `Recommendation.reason` holds: each term's share of the score, and the strongest causes, strongest first.

    ``heard_at``: when the listener last heard the song, in seconds since 1970, 0 where they only rated or skipped it;
    there only where they knew it. The others are there only on shelves that are about them: ``plays``, how often they
    played it; ``liked_at``, when they liked it, 0 where they did not; ``released``, its year.
    """

    terms: dict[str, float]
    causes: list[StoredCause]
    heard_at: NotRequired[int]
    plays: NotRequired[int]
    liked_at: NotRequired[int]
    released: NotRequired[int]


@dataclass(frozen=True)
class Names:
    """Names of what the causes of a page point at."""

    tracks: Mapping[int, str]
    artists: Mapping[int, str]
    genres: Mapping[int, str]

    @classmethod
    def of(cls, reasons: Iterable[StoredReason]) -> Names:
        """Look up all names that ``reasons`` need, in three queries however many there are."""
        ids: dict[str, set[Any]] = {"track": set(), "artist": set(), "genre": set()}
        for reason in reasons:
            for cause in reason["causes"]:
                ids.setdefault(cause["kind"], set()).add(cause["id"])
                ids["track"].update(cause["tracks"])
        artists = Artist.objects.filter(pk__in=ids["artist"]).values_list("pk", "name")
        return cls(
            # "Get Lucky", not "Get Lucky (feat. Pharrell Williams & Nile Rodgers) - Radio Edit".
            tracks={
                pk: base_title(title)
                for pk, title in Track.objects.filter(pk__in=ids["track"]).values_list("pk", "title")
            },
            # "Various Artists" is nobody to be liked.
            artists={pk: name for pk, name in artists if not is_compiler(name)},
            genres={genre.pk: genre.label for genre in Genre.objects.filter(pk__in=ids["genre"])},
        )


def sentence(reason: StoredReason, names: Names, *, is_explored: bool = False, max_parts: int = MAX_TOLD) -> str:
    """Return why a song is there, in one line, from its strongest causes that speak for it.

    Of a song the listener knows it says first what they did with it, of one that only exploring has put there that it
    is new.
    """
    first = habit(reason) or heard(reason) or (_("A new find") if is_explored and "heard_at" not in reason else "")
    parts = [*([first] if first else []), *(text for _cause, text in _worth_telling(reason, names))]
    return " · ".join(parts[:max_parts])


def habit(reason: StoredReason) -> str:
    """Return what puts the song on a shelf that is not about the score, empty on all others."""
    if plays := reason.get("plays"):
        return ngettext("Played %(number)s time", "Played %(number)s times", plays) % {"number": intcomma(plays)}
    if (liked_at := reason.get("liked_at")) and not reason.get("heard_at"):
        return _("Liked in %(month)s") % {"month": _month(liked_at)}
    if released := reason.get("released"):
        return _("Released in %(year)s") % {"year": released}
    return ""


def heard(reason: StoredReason) -> str:
    """Return when the listener last heard the song, empty where they did not."""
    at = reason.get("heard_at", 0)
    return _("Last played in %(month)s") % {"month": _month(at)} if at else ""


def _month(at: int) -> str:
    return date_format(localtime(datetime.fromtimestamp(at, tz=UTC)), "YEAR_MONTH_FORMAT")


def leading_cause(reason: StoredReason, names: Names) -> StoredCause | None:
    """Return the cause that ``sentence`` tells first."""
    return next((cause for cause, _text in _worth_telling(reason, names)), None)


def _worth_telling(reason: StoredReason, names: Names) -> Iterator[tuple[StoredCause, str]]:
    """Yield what is worth telling, strongest first: one cause a term, none that says the same.

    That a song is unlike what was refused is told only where nothing else can be, and once: of a listener who has
    refused much it is true of most songs.
    """
    texts: set[str] = set()
    terms: set[str] = set()
    for cause in sorted(reason["causes"], key=_is_refusal):
        if cause["value"] <= 0 or cause["term"] in terms or (_is_refusal(cause) and texts):
            continue
        text = words(cause, names)
        if text and text not in texts:
            texts.add(text)
            terms.add(cause["term"])
            yield cause, text


def _is_refusal(cause: StoredCause) -> bool:
    return cause.get("stance") in _UNLIKE


def words(cause: StoredCause, names: Names) -> str:
    """Return one cause as a listener reads it, empty where there are no true words for it."""
    template = _TEMPLATES.get(cause["kind"])
    if cause["term"] not in _WORDINGS or template is None:
        return ""
    return template(cause, names)


def _track(cause: StoredCause, names: Names) -> str:
    title, stance = names.tracks.get(_key(cause)), cause.get("stance")
    if not title:
        return ""
    if stance is None:
        return _("Because of %(name)s") % {"name": title}
    if stance in _UNLIKE:
        return _(_UNLIKE[stance]) % {"title": title}
    pattern = _WORDINGS[cause["term"]].get(stance)
    return _(pattern) % {"title": title} if pattern else ""


def _artist(cause: StoredCause, names: Names) -> str:
    name = names.artists.get(_key(cause))
    if not name:
        return ""
    stance, title = _stance_of_line(cause), _first_title(cause, names)
    if stance == "chosen":
        return _("Because you chose %(artist)s") % {"artist": name}
    if stance == "liked" and title:
        return _("Because you like %(title)s by %(artist)s") % {"artist": name, "title": title}
    if stance == "played" and title:
        return _("Because you listen to %(title)s by %(artist)s") % {"artist": name, "title": title}
    return _("Because of %(name)s") % {"name": name} if stance is None else ""


def _genre(cause: StoredCause, names: Names) -> str:
    name = names.genres.get(_key(cause))
    if not name:
        return ""
    stance, title = _stance_of_line(cause), _first_title(cause, names)
    if stance == "chosen":
        return _("Because you chose %(genre)s") % {"genre": name}
    if stance == "liked" and title:
        return _("Because you like %(genre)s, such as %(title)s") % {"genre": name, "title": title}
    if stance == "played" and title:
        return _("Because you listen to %(genre)s, such as %(title)s") % {"genre": name, "title": title}
    return _("Because of %(name)s") % {"name": name} if stance is None else ""


def _stance_of_line(cause: StoredCause) -> str | None:
    """Return what was done with an artist or genre; of an old record only that it was chosen can be told."""
    stance = cause.get("stance")
    return "chosen" if stance is None and not cause["tracks"] else stance


def _first_title(cause: StoredCause, names: Names) -> str:
    return next((names.tracks[pk] for pk in cause["tracks"] if pk in names.tracks), "")


def _region(cause: StoredCause, _names: Names) -> str:
    region = region_in_sentence(str(cause["id"]))
    return _("Popular in %(region)s") % {"region": region} if region else ""


def _listeners(_cause: StoredCause, _names: Names) -> str:
    return _("Popular on this site")


def _catalogue(_cause: StoredCause, _names: Names) -> str:
    return _("Popular")


def _key(cause: StoredCause) -> int:
    return cause["id"] if isinstance(cause["id"], int) else -1


_UNLIKE = {
    "disliked": gettext_noop("Unlike %(title)s, which you disliked"),
    "skipped": gettext_noop("Unlike %(title)s, which you skipped"),
}
# What a song of the listener's says for another, by term and by what they did with it. A term that is missing here says
# nothing in words. Records of earlier releases name `ease`.
_WORDINGS: Mapping[str, Mapping[str, str]] = {
    **{name: term.wording for name, term in TERMS.items() if term.wording is not None},
    "ease": TERMS["item_to_item"].wording or {},
}
_TEMPLATES = {
    "track": _track,
    "artist": _artist,
    "genre": _genre,
    "region": _region,
    "listeners": _listeners,
    "catalogue": _catalogue,
}
