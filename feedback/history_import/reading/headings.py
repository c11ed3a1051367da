"""The headings of tables in several languages."""

import re
from collections.abc import Sequence

# Column names of exports, compared in lower case with blanks for dashes and underscores, the better ones first. Besides
# English: German, French, Spanish, Italian, Portuguese, Dutch and Swedish.
_COLUMNS = {
    "at": (
        "uts", "timems", "event start timestamp", "played at", "entry date", "timestamp",
        "listened at", "scrobbled at", "date", "utc time", "datetime", "last played", "time", "added at",
        "event end timestamp", "last played date", "date played", "endtime", "ts", "played on", "listened on",
        "scrobbled on", "play date",
        "playdate",
        "play time", "played", "date time", "date/time", "date and time", "start time", "starttime", "time stamp",
        "scrobble time", "utc", "unixtime", "unix time", "unix", "unix timestamp", "epoch", "epoch time",
        "epoch seconds", "time played", "listen date", "scrobble date", "last listened",
        "gespielt am", "abgespielt am", "wiedergegeben am", "gehört am", "zuletzt gespielt",
        "écouté le", "joué le", "lu le", "reproducido el", "escuchado el", "riprodotto il", "ascoltato il",
        "reproduzido em", "tocado em", "ouvido em", "afgespeeld op", "beluisterd op", "gespeeld op",
        "hinzugefügt am", "datum", "zeitpunkt", "ajouté le", "ajouté à", "date de lecture", "añadido el", "añadido en",
        "agregado el", "fecha y hora", "fecha", "aggiunto il", "data", "adicionado em", "toegevoegd op",
        "tillagd", "lades till",
    ),
    "title": (
        "track", "track name", "track title", "song name", "song title", "title", "name", "song",
        "trackname", "content name", "titel", "liedname", "songtitel", "nom de la piste", "titre",
        "nombre de la canción", "nombre de la pista", "canción", "título",
        "nome della traccia", "nome del brano", "titolo", "brano", "nome da faixa", "nummer", "naam nummer",
        "låtnamn", "spårnamn",
    ),
    "artist": (
        "artist", "artist name(s)", "artist name", "artists", "artistname", "album artist name(s)", "künstlername(n)",
        "künstler", "künstlername", "interpret", "nom de l'artiste", "nom(s) de(s) l'artiste(s)", "artiste",
        "nombre(s) del artista", "nombre del artista", "artista", "nome dell'artista", "nome(i) dell'artista",
        "nome(s) do artista", "nome do artista", "artiestnaam", "artiestna(a)m(en)", "artiest", "artistnamn",
        "container artist name", "singer", "performer", "band",
    ),
    "album": (
        "album", "album name", "album title", "container album name", "albumname", "nom de l'album", "nombre del álbum",
        "álbum", "nome dell'album", "nome do álbum", "albumnaam", "albumnamn",
    ),
    "uri": ("track uri", "spotify uri", "spotify id", "track id", "uri", "spotify track uri", "trackuri",
            "spotify track id"),
    "isrc": ("isrc",),
    "artist_ids": ("artist uri(s)", "artist ids", "artist id", "künstler uri(s)"),
    "ms": ("play duration milliseconds", "stream duration ms", "ms played", "msplayed"),
    "seconds": ("listening time", "seconds played", "play duration seconds", "seconds listened", "played seconds"),
    "end": ("event end timestamp",),
    # If the day is in a separate column.
    "clock": ("time", "uhrzeit", "zeit", "heure", "hora", "ora", "tijd", "tid", "klockslag"),
    "plays": ("play count",),
    "hours": ("hours",),
    "skips": ("skip count",),
    "event": ("event type",),
    "kind": ("event",),
    "reason": ("end reason type",),
    "media": ("media type",),
    "both": ("track description",),
    "outcome": ("outcome",),
    "source": ("source",),
    "is_counted": ("is counted",),
}  # fmt: skip
# Parts of headings in these and some more languages.
_STEMS = {
    "artist": ("artist", "performer", "singer", "artiest", "künstler", "interpret", "アーティスト",
               "исполнител", "wykonawc", "sanatç",
               "виконав", "艺", "藝", "歌手", "가수", "아티스트", "فنان", "אמן", "umělec", "előadó", "esittäj",
               "kunstner", "καλλιτέχν", "ερμηνευτ", "ca sĩ", "nghệ sĩ"),
    "album": ("albu", "álbum", "albüm", "アルバム", "专辑", "專輯", "앨범", "альбом", "άλμπουμ", "ألبوم", "אלבום"),
    "title": ("track", "trac", "titel", "titre", "título", "titolo", "piste", "canción", "brano", "faixa", "nummer",
              "låt", "spår", "トラック", "曲", "歌名", "곡", "제목", "трек", "песн", "пісн", "şark", "parça", "utwor",
              "utwór", "skladb", "píseň", "kappale", "τραγούδ", "τίτλο", "שיר", "أغنية", "bài hát", "lagu", "judul",
              "melodi", "canzone", "música", "sang", "song"),
}  # fmt: skip
# Parts of headings over times.
_TIME_STEMS = ("time", "date", "uts", "unix", "epoch", "stamp", "played", "listened", "scrobbl", "when", "zeit",
               "datum", "gespielt", "gehört", "écouté", "joué", "lu le", "fecha", "hora", "tijd", "время", "дата",
               "日", "時", "时", "시간", "날짜")  # fmt: skip
# What some put behind or before "played at": the zone, or what it counts.
_ZONE = re.compile(
    r"[(\[]\s?(?:utc[^()\[\]]*|gmt|unix|epoch|iso(?: ?8601)?|uts|m?s|sec|(?:milli)?seconds)\s?[)\]]$|"
    r"\s(?:utc|gmt|unix|epoch)$|^utc\s"
)
_LONGEST = 100
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def columns_of(cells: Sequence[str]) -> dict[str, int]:
    """Return the place of each field that the headings ``cells`` name."""
    names = [_evened(cell) for cell in cells]
    # "playedAt" and "Played At (UTC)", where no heading says it plainly.
    loose = [_ZONE.sub("", _evened(_HUMP.sub(" ", cell[:_LONGEST]))).strip() for cell in cells]
    columns = {}
    for field, aliases in _COLUMNS.items():
        position = next((names.index(alias) for alias in aliases if alias in names), None)
        if position is None:
            position = next((loose.index(alias) for alias in aliases if alias in loose), None)
        if position is not None:
            columns[field] = position
    if columns.get("clock") == columns.get("at"):
        columns.pop("clock", None)
    return columns


def _evened(cell: str) -> str:
    # One export calls the last column "Date#" with the listener's name.
    return re.sub(r"[\s_-]+", " ", cell.lower().split("#")[0].lstrip("\ufeff")).strip()


def is_of_time(heading: str) -> bool:
    """Return whether a heading may be that of a time."""
    return _holds(heading, _TIME_STEMS)


def told_columns(heading: Sequence[str], names: Sequence[int]) -> dict[str, int]:
    """Return which of the columns with names are title, artist and album, as far as their headings tell it."""
    columns: dict[str, int] = {}
    for field, stems in _STEMS.items():
        fitting = (column for column in names if column not in columns.values() and _holds(heading[column], stems))
        if (column := next(fitting, None)) is not None:
            columns[field] = column
    return columns


def _holds(text: str, stems: Sequence[str]) -> bool:
    return any(stem in text.casefold() for stem in stems)
