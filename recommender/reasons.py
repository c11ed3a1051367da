"""From the arithmetic of a recommendation to a sentence a listener reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from accounts.regions import region_choices
from catalog.models import Artist, Genre, Track
from catalog.text import base_title


class StoredCause(TypedDict):
    """One cause as `Recommendation.reason` keeps it; ``id`` is a database id, or a region code."""

    term: str
    kind: str
    id: int | str | None
    value: float
    tracks: list[int]


class StoredReason(TypedDict):
    """What `Recommendation.reason` holds: each term's share of the score, and the strongest causes, strongest first."""

    terms: dict[str, float]
    causes: list[StoredCause]


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
        return cls(
            # "Get Lucky", not "Get Lucky (feat. Pharrell Williams & Nile Rodgers) - Radio Edit".
            tracks={
                pk: base_title(title)
                for pk, title in Track.objects.filter(pk__in=ids["track"]).values_list("pk", "title")
            },
            artists=dict(Artist.objects.filter(pk__in=ids["artist"]).values_list("pk", "name")),
            genres=dict(Genre.objects.filter(pk__in=ids["genre"]).values_list("pk", "name")),
        )


def sentence(reason: StoredReason, names: Names, *, is_explored: bool = False) -> str:
    """Return why a song is there, in one line, from its strongest causes that speak for it.

    At most two causes are told, of two different terms: more is a table, not a reason. A song that only exploring has
    put there is said to be new first.
    """
    told: dict[str, str] = {"exploration": _("Something new for you")} if is_explored else {}
    for cause in reason["causes"]:
        if cause["value"] > 0 and cause["term"] not in told and (found := words(cause, names)):
            told[cause["term"]] = found
        if len(told) == 2:
            break
    return " · ".join(dict.fromkeys(told.values()))


def leading_cause(reason: StoredReason, names: Names) -> StoredCause | None:
    """Return the cause that ``sentence`` tells first."""
    return next((cause for cause in reason["causes"] if cause["value"] > 0 and words(cause, names)), None)


def words(cause: StoredCause, names: Names) -> str:
    """Return one cause as a listener reads it, empty where there are no words for it."""
    teller = _TELLERS.get(cause["term"])
    return teller(cause, names) if teller else ""


def _artist(cause: StoredCause, names: Names) -> str:
    name = names.artists.get(_key(cause))
    if not name:
        return ""
    titles = [names.tracks[pk] for pk in cause["tracks"] if pk in names.tracks]
    if not titles:
        return _("Because you chose %(artist)s") % {"artist": name}
    return _("Because you like %(artist)s (%(title)s)") % {"artist": name, "title": titles[0]}


def _collaborative(cause: StoredCause, names: Names) -> str:
    return _by_title(cause, names, _("People who like %(title)s like this"))


def _item_to_item(cause: StoredCause, names: Names) -> str:
    return _by_title(cause, names, _("Often liked together with %(title)s"))


def _album(cause: StoredCause, names: Names) -> str:
    return _by_title(cause, names, _("From the same album as %(title)s"))


def _genre(cause: StoredCause, names: Names) -> str:
    name = names.genres.get(_key(cause))
    if not name:
        return ""
    titles = [names.tracks[pk] for pk in cause["tracks"] if pk in names.tracks]
    if not titles:
        return _("Because you chose %(genre)s") % {"genre": name}
    return _("Because you like %(genre)s, as in %(title)s") % {"genre": name, "title": titles[0]}


def _audio(cause: StoredCause, names: Names) -> str:
    return _by_title(cause, names, _("Sounds like %(title)s"))


def _mainstream(cause: StoredCause, names: Names) -> str:
    return _by_title(cause, names, _("About as well known as %(title)s"))


def _era(cause: StoredCause, names: Names) -> str:
    return _by_title(cause, names, _("From the same years as %(title)s"))


def _by_title(cause: StoredCause, names: Names, pattern: str) -> str:
    title = names.tracks.get(_key(cause))
    return pattern % {"title": title} if title else ""


def _popularity(cause: StoredCause, _names: Names) -> str:
    if cause["kind"] == "region":
        region = dict(region_choices()).get(str(cause["id"]))
        return _("Popular in %(region)s") % {"region": region} if region else ""
    return _("Popular with listeners here") if cause["kind"] == "listeners" else _("Popular")


def _key(cause: StoredCause) -> int:
    return cause["id"] if isinstance(cause["id"], int) else -1


_TELLERS = {
    "artist": _artist,
    "album": _album,
    "collaborative": _collaborative,
    "item_to_item": _item_to_item,
    "ease": _item_to_item,
    "genre": _genre,
    "audio": _audio,
    "mainstream": _mainstream,
    "era": _era,
    "popularity": _popularity,
}
