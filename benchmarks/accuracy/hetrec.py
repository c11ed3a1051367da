"""HetRec 2011 Last.fm as ``evaluate`` reads it: each artist is a track of that name by that artist."""

import csv
from collections.abc import Iterable
from pathlib import Path


def write_inputs(data: Path, folder: Path) -> tuple[Path, Path]:
    """Write interactions and catalogue into ``folder`` from the HetRec files in ``data``; return their paths."""
    with (data / "lastfm-hetrec-artists.csv").open(encoding="utf-8", newline="") as file:
        songs = [(_track_id(row["id"]), row["name"], row["name"]) for row in csv.DictReader(file)]
    with (data / "lastfm-hetrec-user-artists.csv").open(encoding="utf-8", newline="") as file:
        played = [(row["userID"], _track_id(row["artistID"]), row["weight"]) for row in csv.DictReader(file)]
    catalogue, interactions = folder / "hetrec-artists.csv", folder / "hetrec-plays.csv"
    write_csv(catalogue, ("track_id", "track_name", "artists"), songs)
    write_csv(interactions, ("listener", "track_id", "plays"), played)
    return interactions, catalogue


def write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def _track_id(number: str) -> str:
    """Return the number as the 22 digits that the catalogue's reader takes for an id."""
    return number.zfill(22)
