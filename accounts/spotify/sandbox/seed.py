"""The world that `manage.py spotify_sandbox` shows: the demo's songs, some that the demo lacks, three listeners."""

import csv
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from accounts.spotify.sandbox.state import CLIENT_ID, CLIENT_SECRET, Listener, Song, World, spotify_id

# Of every so many songs of the catalogue, one is in the sandbox's libraries.
_EVERY = 40
_NEW_TITLES = ("Paper Lanterns", "Low Tide Radio", "Eleven Windows", "Slow Machines", "The Orchard Line", "Northbound")
_NEW_ARTISTS = ("The Sandbox Quartet", "Marta Lunde", "Copper Season")


def furnished_world(catalogue: Path, redirect_uris: Iterable[str]) -> World:
    """Return a world with the songs of a CSV in the layout of the demo catalogue.

    Raise ``OSError`` and ``KeyError`` where the file cannot be read or is laid out otherwise.
    """
    known = list(catalogue_songs(catalogue))
    # Those of two neighbouring genres: a taste, rather than a bit of everything.
    taste = known[: len(known) // 10]
    top, saved = [song.id for song in taste[::4]][:60], [song.id for song in taste[1::4]][:80]
    device = {"id": "sandbox-laptop", "name": "Laptop in the sandbox"}
    followed = list(dict.fromkeys(song.artists[0] for song in taste))[:12]
    ada = Listener("ada", "Ada (Premium)", top=top, saved=saved, recent=top[:30], followed=followed, devices=[device])
    bo = Listener("bo", "Bo (not Premium)", is_premium=False, top=[song.id for song in known[::_EVERY]][:30])
    eve = Listener("eve", "Eve (not on the app's list)", is_allowed=False)
    return World([*known, *new_songs()], [ada, bo, eve], redirect_uris=redirect_uris)


def catalogue_songs(path: Path) -> Iterator[Song]:
    """Read songs, each id once."""
    with path.open(encoding="utf-8", newline="") as file:
        seen: set[str] = set()
        for row in csv.DictReader(file):
            if row["track_id"] in seen:
                continue
            seen.add(row["track_id"])
            yield Song(
                id=row["track_id"],
                title=row["track_name"],
                artists=tuple(dict.fromkeys(row["artists"].split(";"))),
                album=row["album_name"],
                duration_ms=int(row["duration_ms"]),
                explicit=row["explicit"] == "True",
                has_cover=False,
            )


def new_songs() -> Iterator[Song]:
    """Return songs that only the sandbox has, to be found and added."""
    for number, (artist, title) in enumerate(itertools.product(_NEW_ARTISTS, _NEW_TITLES)):
        yield Song(
            id=spotify_id(f"new {artist} {title}"),
            title=title if number < len(_NEW_TITLES) else f"{title} (Live)" if number % 2 else f"After {title}",
            artists=(artist,),
            album=f"{artist}: Collected",
            isrc=f"QZSBX26{number:05d}",
            duration_ms=170_000 + 4_321 * number,
            year=2026,
            has_cover=False,
        )


def site_environment(url: str) -> dict[str, str]:
    """Return the settings with which the site takes the sandbox at ``url`` for Spotify."""
    return {
        "SPOTIFY_CLIENT_ID": CLIENT_ID,
        "SPOTIFY_CLIENT_SECRET": CLIENT_SECRET,
        "SPOTIFY_ACCOUNTS_URL": url,
        "SPOTIFY_API_URL": f"{url}/v1",
    }
