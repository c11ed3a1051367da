"""Which parts of titles only name the version: "(Live)" does, "(Original Sin)" does not."""

import re
from functools import lru_cache

# Looking for any of these first is cheaper than all that follows, and most parts of titles hold none.
_ANY = re.compile(
    r"\b(?:remaster(?:ed)?|acoustic|live|remix(?:ed)?|mix|edit|version|demo|mono|stereo|instrumental|karaoke|unplugged|"
    r"reprise|bonus track|radio|session|sessions|re-?recorded|feat|ft|featuring|with|sped up|slowed|nightcore|cover|"
    r"extended|deluxe|explicit|clean|original|rework|bootleg|vip|a cappella|acapella)\b",
    re.IGNORECASE,
)
# These mean a version anywhere.
_ALWAYS = re.compile(
    r"\b(?:remaster(?:ed)?|remix(?:ed)?|version|instrumental|karaoke|unplugged|reprise|bonus track|sessions?|"
    r"re-?recorded|feat|ft|featuring|sped up|nightcore|rework|bootleg|a cappella|acapella|live (?:lounge|aid|at|from)|"
    r"mono|slowed|no fade|mixed|single edit|radio (?:edit|performance)|(?:club|vocal|extended) mix|"
    r"live acoustique|(?:acoustic|live|radio) ver)\b",
    re.IGNORECASE,
)
# These do at the end ("Club Mix", "1998 Demo"), with exceptions such as "Long Live".
_LAST = frozenset({"live", "acoustic", "mix", "edit", "demo", "cover", "vip"})
_NUMBERED = frozenset({"no", "pt", "part", "vol"})
_NOT_BEFORE = {
    "live": frozenset(
        (
            "long",
            "i",
            "we",
            "you",
            "they",
            "he",
            "she",
            "it",
            "to",
            "people",
            "who",
            "how",
            "where",
            "let",
            "can",
            "could",
            "never",
            "gonna",
            "wanna",
            "must",
            "just",
            "t",
        )
    ),
    "cover": frozenset(("under", "take", "for", "the", "a", "my", "your", "i", "me")),
}
# These do at the beginning, before a place, date or person.
_FIRST = re.compile(
    r"(?:(?:recorded |acoustic |solo )?live\b(?:\s*[-/,;:@&+]|\s*\d|\s(?:at|from|in|on|for|au|aux|à|im|auf|aus|bei|en|"
    r"del|dal|no|na|w/|with|by|studio|recording|show|concert)\b|.*\b(?:19|20)\d\d$)"
    r"|(?:demo|edit|mix|acoustic|cover|stereo)\b(?:\s*[-/,;:(]|\s*\d|\s(?:by|of|from|at|take)\b))",
    re.IGNORECASE,
)
# With whom: "(with Bo)", but not "(With or Without You)".
_WITH = re.compile(r"with\s+(?!(?:you|u|me|us|him|her|them|it|my|your|our)\b)\S")
_WITH_CAPITAL = re.compile(
    r"With\s+(?!(?:Or|You|U|Me|Us|Him|Her|Them|It|The|A|An|My|Your|Our|His|Their|This|That|Love|Out|All|No|Eyes|Arms|"
    r"Every\w*|Some\w*|Each|Open)\b)\S",
    re.IGNORECASE,
)
# Where nothing else stands, the rest does as well: "Extended", "Original Motion Picture Soundtrack".
_VOCABULARY = frozenset({
    "original", "radio", "explicit", "clean", "deluxe", "extended", "stereo", "vip", "live", "acoustic", "mix",
    "edit", "demo", "cover", "single", "album", "edition", "digital", "studio", "full", "length", "long", "short",
    "club", "dub", "dance", "main", "bonus", "track", "take", "cut", "recording", "motion", "picture",
    "soundtrack", "score", "cast", "film", "movie", "tv", "video", "audio", "official", "reverb", "up", "super",
    "hq", "hd", "the", "and", "in", "vol", "pt", "part", "broadway", "london", "release", "mixed", "performance",
    "lyrics",
})  # fmt: skip
# What an original recording may be of.
_SOURCES = frozenset({
    "soundtrack", "series", "cast", "score", "film", "picture", "pictures", "musical", "recording", "recordings",
})  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=20_000)
def is_version(part: str) -> bool:
    """Return whether a part of a title, in brackets or after a dash, only names the version."""
    if _ANY.search(part) is None:
        return False
    part = part.strip()
    if _ALWAYS.search(part) or _FIRST.match(part) or _is_with(part):
        return True
    words = [word.lower() for word in _WORD.findall(part)]
    if "original" in words and not _SOURCES.isdisjoint(words):
        return True
    while len(words) > 1 and words[-1] in _NUMBERED:
        words.pop()
    if words[-1] in _LAST:
        # Somebody may live, too, or take cover.
        return len(words) == 1 or words[-2] not in _NOT_BEFORE.get(words[-1], ())
    return _VOCABULARY.issuperset(words)


def _is_with(part: str) -> bool:
    pattern = _WITH if part.startswith("with") else _WITH_CAPITAL
    return pattern.match(part) is not None
