"""A table of small inputs that once went wrong: what each is, what is right, and what comes now.

A folder holds `README.md` with a table (input | right | ...) and the inputs in `data/`. Every row is tried in an
empty database in memory; nothing of it stays. A kind of input is a function in `KINDS`, by the first letter of the
file's name: it gets the paths of a row and returns what came. By default the project's own folder is tried, which
`tests/test_import_inputs.py` holds to its third column, and another if there is one.
"""

import argparse
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.imports.history_inputs import import_history

ROOT = Path(__file__).resolve().parents[2]
OWN_INPUTS = Path(__file__).resolve().parent / "inputs"
INPUTS = Path(os.environ.get("SPOTIFY_REC_SHARED_INPUTS", ROOT.parent / "shared" / "inputs"))
_SHOWN_SONGS = 4
# Several inputs that are numbered, as in "h08_00 to h08_04_time.csv".
_RANGE = re.compile(r"\b([a-z]\d+_)(\d\d) to \1(\d\d)(\w*\.\w+)\b")
_NAME = re.compile(r"\b[a-z]\d+\w*\.\w+\b")


class Row(NamedTuple):
    """One row of the README: its inputs, those together that come one after the other, and what is right."""

    groups: tuple[tuple[str, ...], ...]
    right: str


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", type=Path, nargs="*", default=[OWN_INPUTS, INPUTS], help="folders with README.md")
    parser.add_argument("--only", default="", metavar="PREFIX", help="only inputs whose name begins so")
    options = parser.parse_args()
    _set_up()
    print("| input | right | comes now |\n|---|---|---|")
    for folder in options.paths:
        if not (folder / "README.md").is_file():
            print(f"import inputs: skipped, there is no {folder}/README.md (or set SPOTIFY_REC_SHARED_INPUTS)")
            continue
        for names, right, came in tried(folder, options.only):
            print(as_line(names, right, came), flush=True)


def tried(folder: Path, only: str = "") -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield the names of each row's inputs in ``folder``, what is right, and what comes of them."""
    for row in read_rows((folder / "README.md").read_text(encoding="utf-8")):
        for names in row.groups:
            if names[0][0] in KINDS and names[0].startswith(only):
                came = _tried(KINDS[names[0][0]], [folder / "data" / name for name in names])
                yield names, row.right, came


def read_rows(text: str) -> list[Row]:
    """Return the rows of the table in ``text`` that name inputs."""
    rows = []
    for line in text.splitlines():
        # A pipe within a cell is written with a backslash.
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        names = tuple(_NAME.findall(_RANGE.sub(_named, cells[0]))) if len(cells) > 1 else ()
        if names:
            groups = (names,) if ", then " in cells[0] else tuple((name,) for name in names)
            rows.append(Row(groups, cells[1]))
    return rows


def _named(match: "re.Match[str]") -> str:
    numbers = range(int(match[2]), int(match[3]) + 1)
    return ", ".join(f"{match[1]}{number:02}{match[4]}" for number in numbers)


def import_catalogue(paths: Sequence[Path]) -> str:
    """Return what `import_tracks` makes of a song table: counts, what it says, and the first songs."""
    from catalog.importing.reading.source import SourceError
    from catalog.importing.service import import_tracks
    from catalog.models import Artist, Track

    try:
        report = import_tracks(source=paths[0], name=paths[0].name)
    except SourceError as error:
        return f"refused: {error}"
    parts = [f"{Track.objects.count()} songs, {Artist.objects.count()} artists"]
    parts += [f"{report.rows_repeated} rows repeat a song"] if report.rows_repeated else []
    parts += [f"line {reject.line} left out: {reject.reason}" for reject in report.rejects]
    parts += [f"unknown in every row: {', '.join(report.columns.unknown)}"] if report.columns.unknown else []
    parts += report.columns.notes
    parts += [f"{flaw.field} unknown in {flaw.values} rows ({flaw.first[0].reason})" for flaw in report.columns.flaws]
    songs = Track.objects.for_list().order_by("pk")
    parts += [_described(song) for song in songs[:_SHOWN_SONGS]]
    return "; ".join(parts) + ("; ..." if songs.count() > _SHOWN_SONGS else "")


def _described(song: object) -> str:
    from catalog.models import Track

    assert isinstance(song, Track)
    artists = " + ".join(credit.artist.name for credit in song.credits.all()) or "no artist"
    known = [song.album, song.spotify_id and "id", song.duration_ms and f"{song.duration_ms:,} ms", song.release_year]
    known += [genre.name for genre in song.genres.all()]
    known += [f"{name} {value:g}" for name, value in sorted(song.features.items())[:2]]
    return f"“{song.title}” by {artists}" + "".join(f", {value}" for value in known if value)


KINDS: dict[str, Callable[[Sequence[Path]], str]] = {"c": import_catalogue, "h": import_history}


def _set_up() -> None:
    os.environ["DATABASE_URL"] = "sqlite://:memory:"
    for name in ("DEBUG", "INSECURE_HTTP"):
        os.environ.setdefault(name, "true")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spotify_rec.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _tried(kind: Callable[[Sequence[Path]], str], paths: Sequence[Path]) -> str:
    from django.db import transaction

    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        return f"not there: {', '.join(missing)}"
    with transaction.atomic():
        came = kind(paths)
        transaction.set_rollback(True)
    return came


def as_line(names: Sequence[str], right: str, came: str) -> str:
    """Return a row of the table."""
    return f"| {', then '.join(names)} | {_cell(right)} | {_cell(came)} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    main()
