"""Tells in which encoding a table is that is not UTF-8, and whether text that was read in one is probable."""

import re
import unicodedata

from catalog.importing.reading.dialect import CYRILLIC, UTF_8, WINDOWS, encoding_of

CENTRAL, LATIN_2, MAC, JAPANESE = "cp1250", "iso8859_2", "mac_roman", "cp932"
# Names of the encodings that are read besides UTF-8.
ENCODING_NAMES = {
    WINDOWS: "Windows-1252",
    CYRILLIC: "Windows-1251",
    CENTRAL: "Windows-1250",
    LATIN_2: "ISO 8859-2",
    MAC: "Mac OS Roman",
    JAPANESE: "Shift-JIS",
}
# Tried where the usual ones make no sense.
_OTHERS = (JAPANESE, MAC, CENTRAL, LATIN_2)
_MOST_ODD = 0.5
_MOST_SIGNS, _LONGEST_WORD = 10_000, 30
# Signs that stand beside letters in names, and those of them that do not stand between two.
_PUNCTUATION = frozenset("\xa0’‘“”„‚«»‹›–—…¡¿·´°©®™")  # noqa: RUF001
_NEVER_WITHIN = frozenset("“”„‚«»‹›¡¿°©®™")  # noqa: RUF001
_BEYOND = re.compile(r"[^\x00-\x7f]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_JAPANESE = re.compile(r"[\u3000-\u30ff\u4e00-\u9fff\uff00-\uff60\u2010-\u203b]")
# Greek letters that Mac OS Roman has, the sign of the guilder and accents that stand alone.
_NO_LATIN = re.compile(r"[\u0370-\u03ff\u0192\u02b0-\u02ff\ufb00-\ufb06]")


def encoding_for(data: bytes) -> str | None:
    """Return the encoding of the text that begins with ``data``; ``None`` where no known one makes sense of it."""
    usual = encoding_of(data)
    if usual == UTF_8:
        try:
            data.decode()
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data" and error.start > len(data) - 4:
                return UTF_8
            usual = WINDOWS
        else:
            return UTF_8
    if _oddness(data, usual) < _MOST_ODD:
        return usual
    share, name = min((_oddness(data, name), number) for number, name in enumerate(_OTHERS))
    if share < _MOST_ODD / 2:
        return _OTHERS[name]
    # One odd sign does not show another encoding: "E=mc²".
    return usual if _BEYOND.findall(data.decode(usual, "replace"))[1:] == [] else None


def _oddness(data: bytes, encoding: str) -> float:
    """Return the share of signs beyond ASCII that hardly stand where they would in that encoding."""
    # The last sign may be cut.
    text = data.decode(encoding, "replace")[:-1]
    places = [match.start() for match in _BEYOND.finditer(text)][:_MOST_SIGNS]
    if any(text[index] == "\ufffd" for index in places):
        return 1
    odd = {JAPANESE: _is_odd_japanese, CYRILLIC: _is_odd_cyrillic}.get(encoding, _is_odd)
    return sum(odd(text, index) for index in places) / max(1, len(places))


def _is_odd_japanese(text: str, index: int) -> bool:
    around = text[index - 1 : index] + text[index + 1 : index + 2]
    is_beside_latin = any(sign.isascii() and sign.isalpha() for sign in around)
    return not _JAPANESE.match(text[index]) or (is_beside_latin and not _KANA.match(text[index]))


def _is_odd_cyrillic(text: str, index: int) -> bool:
    return _is_no_letter_there(text, index) or _is_late_capital(text, index)


def _is_odd(text: str, index: int) -> bool:
    """Return whether a sign hardly stands there in a Latin script, where few letters beyond ASCII follow each other."""
    before, behind = text[index - 1 : index], text[index + 1 : index + 2]
    is_amid_others = before > "\x7f" and behind > "\x7f"
    return is_amid_others or _is_odd_cyrillic(text, index) or _NO_LATIN.match(text[index]) is not None


def _is_late_capital(text: str, index: int) -> bool:
    """Return whether it is a capital in a word that begins in small letters, or before small letters within one."""
    if not text[index].isupper():
        return False
    start = index
    while start and text[start - 1].isalpha() and index - start < _LONGEST_WORD:
        start -= 1
    around = text[start] + text[index - 1 : index] + text[index + 1 : index + 2]
    return start < index and any(map(str.islower, around))


def _is_no_letter_there(text: str, index: int) -> bool:
    """Return whether it is a control character, or a symbol beside letters."""
    sign, before, behind = text[index], text[index - 1 : index], text[index + 1 : index + 2]
    if unicodedata.category(sign) == "Cc":
        return True
    if sign.isalpha():
        return False
    if sign in _PUNCTUATION:
        is_opening_late = sign in "‚„" and before.isalpha()  # noqa: RUF001
        return is_opening_late or (sign in _NEVER_WITHIN and before.isalpha() and behind.isalpha())
    return any(other.isalpha() or (other > "\x7f" and other not in _PUNCTUATION) for other in (before, behind))
