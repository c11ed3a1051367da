"""Files as no service writes them: exports broken where their structure is. File ``n`` of a seed is always the same."""

import gzip
import io
import json
import os
import random
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from feedback.history_import.tests.histories import listen, scrobble, spotify

_FOLDER = Path(os.environ.get("SPOTIFY_REC_SHARED_DATA", "../shared/data")).resolve().parent / "inputs" / "data"
_LARGEST = 300_000
_LONGEST = 40 * _LARGEST
EVIL: list[Any] = [
    "", " ", "NaN", "null", "-1", "0", "1e999", "9" * 5000, "\0", "\ud800", "\u2028", "=1+1", "'", '"', '"""', "\\",
    ",;\t|", "0000-00-00", "2023-02-29", "99/99/9999", "2024-13-01T25:61:61Z", "1970-01-01T00:00:00",
    "9999-12-31T23:59:59+14:00",
    "x" * 100_000, "é" * 3000, "🌧" * 200, "[" * 5000, "{}", "spotify:track:" + "f" * 22, "A feat. B feat. C" * 500,
    "()" * 2000,
    None, True, -1, 0, 1e308, float("inf"), float("nan"), 2**63, 10**400, [], {}, [[]], {"": {"": []}}, ["x"] * 1000,
]  # fmt: skip
_NAMES = ("../../x.json", "a/b/endsong_0.json", "x.csv", "", "é\n.json", "CON", "x.zip", ".scrobbler.log", "y" * 300)


def seeds() -> list[tuple[str, bytes]]:
    """Return name and content of whole files: of each format one of our own, and those that lie beside the project."""
    own = {
        "Streaming_History_Audio.json": json.dumps([spotify(f"Song {n}") for n in range(8)]),
        "StreamingHistory0.json": json.dumps(
            [
                {"endTime": f"2024-01-0{n} 10:00", "artistName": "A", "trackName": f"T{n}", "msPlayed": 9e4}
                for n in range(1, 9)
            ]
        ),
        "listens.jsonl": "\n".join(json.dumps(listen(f"Song {n}", at=1_700_000_000 + n)) for n in range(8)),
        "lastfm.json": json.dumps([{"track": [scrobble(f"Song {n}", at=1_700_000_000 + n) for n in range(8)]}]),
        "watch-history.json": json.dumps(
            [
                {"header": "YouTube Music", "title": f"Watched T{n}", "time": "2024-01-01T10:00:00Z",
                 "titleUrl": "https://music.youtube.com/watch?v=x", "subtitles": [{"name": "A - Topic"}]}
                for n in range(8)
            ]
        ),
        "scrobbles.csv": "artist,album,track,date\n" + "".join(f"A,B,T{n},0{n} Jan 2024 10:00\n" for n in range(1, 9)),
        "exportify.csv": "Track URI,Track Name,Artist Name(s),Added At\n"
        + "".join(f"spotify:track:{n:022d},T{n},A,2024-01-0{n}T10:00:00Z\n" for n in range(1, 9)),
        ".scrobbler.log": "#AUDIOSCROBBLER/1.1\n#TZ/UNKNOWN\n#CLIENT/Rockbox\n"
        + "".join(f"A\tB\tT{n}\t1\t200\tL\t170000000{n}\t\n" for n in range(8)),
        "catalogue.csv": "track_id,artists,album_name,track_name,popularity,duration_ms,explicit,tempo,track_genre\n"
        + "".join(f"{n:022d},A;B,C,T{n},5{n},20000{n},False,12{n}.5,pop\n" for n in range(8)),
        "songs.csv": "name;artists;year;genres\n" + "".join(f"T{n};['A', \"B\"];199{n};rock, pop\n" for n in range(8)),
    }  # fmt: skip
    files = sorted(path for path in _FOLDER.glob("*") if path.is_file()) if _FOLDER.is_dir() else []
    beside = [(path.name, path.read_bytes()) for path in files if path.stat().st_size <= _LARGEST]
    return [*((name, text.encode()) for name, text in own.items()), *beside]


def fuzzed(seed: int, number: int, whole: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Return name and content of file ``number``."""
    rng = random.Random(f"{seed}:{number}")
    name, content = rng.choice(whole)
    for _time in range(rng.choice([1, 1, 2, 3, 6])):
        content = rng.choice(_CHANGES)(rng, content)[:_LONGEST]
    if rng.random() < 0.15:
        return f"{name}.zip", _zipped(rng, name, content, whole)
    if rng.random() < 0.1:
        packed = gzip.compress(content, 1)
        return f"{name}.gz", packed[: rng.randrange(len(packed))] if rng.random() < 0.3 else packed
    return (rng.choice(_NAMES) or name, content) if rng.random() < 0.1 else (name, content)


def _zipped(rng: random.Random, name: str, content: bytes, whole: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])) as archive:
        archive.writestr(name, content)
        for _more in range(rng.randrange(4)):
            with warnings.catch_warnings(action="ignore"):
                # Of the same name twice, too.
                archive.writestr(rng.choice(_NAMES) or "folder/", rng.choice(whole)[1])
    packed = buffer.getvalue()
    return _flip(rng, packed) if rng.random() < 0.3 else packed


def _flip(rng: random.Random, content: bytes) -> bytes:
    broken = bytearray(content)
    for _byte in range(rng.choice([1, 4, 40])):
        if broken:
            broken[rng.randrange(len(broken))] = rng.randrange(256)
    return bytes(broken)


def _cut(rng: random.Random, content: bytes) -> bytes:
    first = rng.randrange(len(content) + 1)
    return (
        content[:first] if rng.random() < 0.7 else content[:first] + content[rng.randrange(first, len(content) + 1) :]
    )


def _recode(rng: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    code = rng.choice(["utf-16", "utf-16-be", "utf-8-sig", "cp1252", "cp1251", "utf-32", "latin-1", "utf-7"])
    return text.encode(code, "replace")


def _lines(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    if (how := rng.randrange(5)) == 0:
        lines[at], lines[other] = lines[other], lines[at]
    elif how == 1:
        # No more than is kept: what makes the files must not take the memory that is measured.
        lines[at:at] = [lines[other]] * min(rng.choice([1, 50, 2000]), _LONGEST // (len(lines[other]) + 1) + 1)
    elif how == 2:
        del lines[at]
    elif how == 3:
        lines[at] *= rng.choice([2, 20])
    return rng.choice([b"\n", b"\n", b"\r\n", b"\r"]).join(lines)


def _cells(rng: random.Random, content: bytes) -> bytes:
    """Put something evil into cells, or change the sign between them."""
    sign = rng.choice([b",", b";", b"\t", b"|"])
    lines = content.split(b"\n")
    for _time in range(rng.choice([1, 3, 20])):
        at = rng.randrange(len(lines))
        cells = lines[at].split(sign)
        cells[rng.randrange(len(cells))] = str(rng.choice(EVIL)).encode("utf-8", "replace")
        lines[at] = sign.join(cells)
    joined = b"\n".join(lines)
    return joined.replace(sign, rng.choice([b",", b";", b"\t", b"|"])) if rng.random() < 0.2 else joined


def _nodes(rng: random.Random, content: bytes) -> bytes:
    """Change a value, a name or the depth in JSON, also where there is one value on each line."""
    for parts in ([content], content.split(b"\n")):
        try:
            values = [json.loads(part) for part in parts if part.strip()]
        except (ValueError, RecursionError):
            continue
        if values:
            values = [_changed(rng, value) if rng.random() < 0.7 else value for value in values]
            try:
                return b"\n".join(json.dumps(value).encode() for value in values)
            except (ValueError, RecursionError):
                return content
    return _flip(rng, content)


def _changed(rng: random.Random, value: Any) -> Any:
    places = list(_places(value))
    for _time in range(rng.choice([1, 2, 10])):
        if not places:
            break
        holder, key = rng.choice(places)
        how = rng.randrange(4)
        if how == 1 and isinstance(holder, dict):
            holder.pop(key, None)
        elif how == 2 and isinstance(holder, dict):
            holder[str(rng.choice(EVIL))[:1000]] = holder.get(key)
        elif isinstance(holder, dict) or key < len(holder):
            holder[key] = rng.choice(EVIL)
    return [value] if rng.random() < 0.1 else value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from _places(inner)


_CHANGES: list[Callable[[random.Random, bytes], bytes]] = [_flip, _cut, _recode, _lines, _cells, _cells, _nodes, _nodes]
