"""Usernames: allowed characters and look-alikes."""

# ruff: noqa: RUF001
import unicodedata
from hashlib import blake2b
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _

LOOKS_TAKEN = _("A user whose name looks the same already exists.")
_SIGNS = frozenset("@.+-_")
# More combining marks on a letter than any script needs would overlap other lines.
_MOST_MARKS = 4
# Small letters (names have no others) by the Latin one that they look like, and digits by letters: after Unicode
# Technical Standard 39, for the scripts whose letters are taken for Latin ones.
_LOOKS_LIKE = str.maketrans(
    # Cyrillic, Greek, Armenian, other Latin letters, digits.
    "авегзіјкмнопрстухѕһԁԛԝѵҽӏьүєґαβγεηικμνορστυχωϲϳօսհոզցւɑɡɩʋıȷɪʟᴀʙᴄᴅᴇᴊᴋᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ013",
    "aber3ijkmhonpctyxshdqwvelbyerabyenikuvopotuxwcjouhnqglagivijilabcdejkmnoprstuvwyzol3",
)


@deconstructible
class UsernameValidator:
    """Accept letters of every script with their marks, digits and ``@ . + - _``."""

    code = "invalid"

    def __call__(self, value: str) -> None:
        """Raise ``ValidationError`` for any other name, and for one that is not in NFKC."""
        marks = _MOST_MARKS
        for sign in value:
            kind = unicodedata.category(sign)[0]
            marks = marks + 1 if kind == "M" else 0 if kind == "L" else _MOST_MARKS
            if marks > _MOST_MARKS or (kind not in "LNM" and sign not in _SIGNS):
                raise ValidationError(
                    _("Enter a valid username. It may hold letters, digits and . + - _ only."), code=self.code
                )
        if unicodedata.normalize("NFKC", value) != value:
            raise ValidationError(_("Enter the username in its usual letters."), code=self.code)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UsernameValidator)

    def __hash__(self) -> int:
        return hash(UsernameValidator)


def look_alike_key(username: str) -> str:
    """Return 32 hexadecimal digits that names share which are taken for each other on a screen."""
    plain = unicodedata.normalize("NFKC", username).casefold()
    digits = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in plain)
    alike = unicodedata.normalize("NFC", unicodedata.normalize("NFD", digits).translate(_LOOKS_LIKE))
    return blake2b(alike.encode(), digest_size=16).hexdigest()


class LookAlikeField(models.CharField):  # type: ignore[type-arg]
    """The :func:`look_alike_key` of the username, one per account.

    It is empty only for accounts older than this rule whose name another one had by then in other letters.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max_length": 32, "unique": True, "null": True, "editable": False, **options})

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        key = look_alike_key(str(model_instance.username))  # type: ignore[attr-defined]
        if not add and getattr(model_instance, self.attname) is None:
            return None
        setattr(model_instance, self.attname, key)
        return super().pre_save(model_instance, add)
