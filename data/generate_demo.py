"""Invent the demo: a catalogue of songs and a dozen listeners. The same bytes on every run.

    .venv/bin/python data/generate_demo.py [--folder FOLDER]

Writes `data/demo_catalogue.csv` and `fixtures/demo_listeners.json` below FOLDER (this project's own by default).
Only the standard library's `random` is used: its sequences stay the same from version to version.
"""

import argparse
import csv
import random
from pathlib import Path

from demo_listeners import invent_listeners, write_fixture
from demo_songs import Song, invent_songs

SEED = 20_260
COLUMNS = (
    *("", "track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit", "danceability"),
    *("energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness", "valence"),
    *("tempo", "time_signature", "track_genre"),
)


def write_catalogue(path: Path, songs: list[Song]) -> None:
    """Write ``songs`` in the "Spotify Tracks" layout: ordered by genre, a song of two genres on two rows."""
    rows = sorted(((genre, index) for index, song in enumerate(songs) for genre in song.genres))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for number, (genre, index) in enumerate(rows):
            writer.writerow({"": str(number), "track_genre": genre, **_cells(songs[index])})


def _cells(song: Song) -> dict[str, str]:
    return song.features | {
        "track_id": song.spotify_id,
        "artists": ";".join(song.artists),
        "album_name": song.album,
        "track_name": song.title,
        "popularity": str(song.popularity),
        "duration_ms": str(song.duration_ms),
        "explicit": str(song.explicit),
    }


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent.parent)
    folder: Path = parser.parse_args().folder
    for name in ("data", "fixtures"):
        (folder / name).mkdir(exist_ok=True)
    songs = invent_songs(random.Random(SEED))  # noqa: S311 - nothing secret
    write_catalogue(folder / "data" / "demo_catalogue.csv", songs)
    # A seed of their own: a change in the songs' names does not reshuffle the listeners' luck.
    listeners = invent_listeners(random.Random(SEED + 1), songs)  # noqa: S311 - nothing secret
    write_fixture(folder / "fixtures" / "demo_listeners.json", listeners)


if __name__ == "__main__":
    main()
