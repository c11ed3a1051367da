"""Tells whether bytes that are not UTF-8 make sense in the encoding they would be read in.

Central European (Windows-1250), Greek, Mac Roman, KOI8-R, Chinese and Korean text can be read as Windows-1252 or 1251
without an error, but then signs stand within words ("Łódź" is "£ódŸ"), or capitals behind small letters.
"""

# ruff: noqa: RUF001
import re

_WORD = re.compile(r"[^\s,;|\"()\[\]{}/&.!?:+=*'\u2019-]+")
_LETTER = r"[^\W\d_]"
_ODD = {
    "cp1252": re.compile(
        # Signs in words, and before them.
        rf"{_LETTER}[£¤¥¦¨¬¯³¹¸¿¡ˆ˜„‚‰‹ƒ÷¼¾±¶§]|{_LETTER}[†‡•™©®°]{_LETTER}|[£¤¥¦¨¯³¹¸ˆ˜‰ƒ÷¶±¬†‡]{_LETTER}"
        # Capitals within words.
        r"|[a-zß-öø-ÿ][À-ÖØ-ÞŽŸŠŒ]"
        # Letters of Mac Roman and Windows-1250 where those of Windows-1252 do not stand.
        r"|[bcdfghjklmnpqrtvwxz]š[bcdfghjklmnpqrstvwxz]|[ìù][a-z]|ø[áéíìýù]|iæ$"
    ),
    "cp1251": re.compile(rf"[a-z\u0430-\u045f][\u0402-\u042f]|{_LETTER}[¤¦§©¬®±µ¶·°†‡•‰]{_LETTER}"),
}
# Of the words that are not ASCII. Some artists' names are odd, too.
_ODD_ENOUGH = 4


def makes_sense(data: bytes, encoding: str) -> bool:
    """Return whether ``data`` reads like words in ``encoding``, which is Windows-1252 or 1251."""
    words = [word for word in _WORD.findall(data.decode(encoding, "replace")) if not word.isascii()]
    odd = sum(_ODD[encoding].search(word) is not None for word in words)
    return odd * _ODD_ENOUGH < max(1, len(words))
