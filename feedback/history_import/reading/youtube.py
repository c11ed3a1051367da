"""The words that YouTube puts around the names of songs and artists, in the listener's language."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

_WATCHED = (
    ("Watched ", ""), ("", " angesehen"), ("", " gehört"), ("Vous avez regardé ", ""), ("Has visto ", ""),
    ("Hai guardato ", ""), ("Você assistiu a ", ""), ("", " bekeken"), ("Tittade på ", ""), ("Listened to ", ""),
    ("聴いた曲: ", ""), ("視聴した動画: ", ""), ("", " を視聴しました"), ("", " を聴きました"), ("Obejrzano: ", ""),
    ("Obejrzano ", ""), ("Wysłuchano: ", ""), ("Вы посмотрели видео ", ""), ("Просмотрено: ", ""),
    ("Прослушано: ", ""), ("", " gesehen"), ("Vous avez écouté ", ""), ("Has escuchado ", ""), ("Hai ascoltato ", ""),
    ("Você ouviu ", ""), ("", " beluisterd"), ("Lyssnade på ", ""), ("", " izlendi"), ("Du har sett ", ""),
)  # fmt: skip
# Suffix of the channels that YouTube generates for artists.
_TOPIC = re.compile(
    r"\s[-\u2013\u2014]\s(?:topic|thema|thème|tema|tópico|temat|тема|トピック|주제|主题|主題|konu|onderwerp|ämne)$",
    re.IGNORECASE,
)
# What artists and their companies add to the names of channels, and of videos.
_CHANNEL = re.compile(r"(?:VEVO|\bOfficial(?:\s(?:Artist\s)?Channel|\sMusic)?|\bMusic|\bTV|\bChannel)$", re.IGNORECASE)
_DASH = re.compile(r"(?<=\s)[-\u2013\u2014|:]\s|:\s")
_BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]")
_VIDEO = re.compile(
    r"\b(?:official|offiziell\w*|officiel\w*|oficial|ufficiale|lyrics?|video|videoclip|clip|audio|"
    r"visuali[sz]er|m/?v|hd|hq|4k)\b",
    re.IGNORECASE,
)
# Longer ones are not searched, because that would take the square of their length.
_LONGEST_NAME = 300
# Number of titles from which the words of an unknown language are learned.
_FEWEST_TITLES = 10
_MOST_WORDS = 5


def song_of(title: str) -> str:
    """Return the song of "Watched Song" in any language known here."""
    for before, behind in _WATCHED:
        if title.startswith(before) and title.endswith(behind):
            return title[len(before) : len(title) - len(behind)].strip()
    return title


def artist_of(channel: str) -> str:
    """Return the artist of a channel such as "Someone - Topic"."""
    return _TOPIC.sub("", channel).strip() or channel


def of_video(title: str, channel: str) -> tuple[str, str]:
    """Return the song and the artist of "Artist - Song (Official Video)" where the channel is the artist's."""
    artist = artist_of(channel)
    if len(title) > _LONGEST_NAME or len(channel) > _LONGEST_NAME:
        return title, artist
    names = {_squeezed(artist), _squeezed(_CHANNEL.sub("", artist))} - {""}
    for dash in _DASH.finditer(title):
        before, behind = title[: dash.start()].strip(), title[dash.end() :].strip()
        song = _without_video(behind)
        if song and _squeezed(before) in names:
            return song, before
    is_channel = artist.upper().endswith("VEVO") and len(artist) > len("VEVO")
    return (_without_video(title) or title, _CHANNEL.sub("", artist).strip()) if is_channel else (title, artist)


def _without_video(title: str) -> str:
    """Return the title without brackets that only say what kind of video it is."""
    return " ".join(_BRACKETS.sub(lambda match: "" if _VIDEO.search(match[0]) else match[0], title).split())


def _squeezed(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def shared_words(titles: Sequence[str]) -> tuple[str, str]:
    """Return the words before and after nearly all titles of an unknown language."""
    distinct = list(dict.fromkeys(titles))
    if len(distinct) < _FEWEST_TITLES or any(song_of(title) != title for title in distinct):
        return "", ""
    return _shared(distinct, _beginnings), _shared(distinct, _ends)


def without(title: str, words: tuple[str, str]) -> str:
    """Return the title without the ``shared_words``."""
    before, behind = words
    if len(title) <= len(before) + len(behind):
        return title
    return title.removeprefix(before).removesuffix(behind).strip()


def _shared(titles: Sequence[str], parts: Callable[[str], Iterator[str]]) -> str:
    counts = Counter(part for title in titles for part in parts(title))
    return max((part for part, number in counts.items() if 10 * number >= 9 * len(titles)), key=len, default="")


def _beginnings(title: str) -> Iterator[str]:
    blanks = [blank.end() for blank in re.finditer(r"\s+", title)]
    return (title[:end] for end in blanks[:_MOST_WORDS])


def _ends(title: str) -> Iterator[str]:
    blanks = [blank.start() for blank in re.finditer(r"\s+", title)]
    return (title[start:] for start in blanks[-_MOST_WORDS:])
