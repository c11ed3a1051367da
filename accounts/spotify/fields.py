"""Encrypted text columns whose values do not leak into logs."""

import logging
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)


class Secret(str):
    """A string whose ``repr`` does not give it away: tracebacks, error pages and logs show that."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"


def cipher() -> MultiFernet:
    """Return a cipher that encrypts with the first of the site's keys and decrypts with any of them.

    Raise ``ImproperlyConfigured`` where there is no key.
    """
    return _cipher_of(tuple(settings.SPOTIFY_TOKEN_KEYS))


@lru_cache(maxsize=4)
def _cipher_of(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("setting SPOTIFY_TOKEN_KEYS: must not be empty.")
    return MultiFernet([Fernet(key) for key in keys])


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text encrypted at rest. It can be asked whether it is there, and not what it is.

    What no key opens reads as the empty text, and is logged: the page of a listener whose key was lost must not fail.
    """

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return cipher().encrypt(prepared.encode()).decode() if prepared else prepared

    def from_db_value(self, value: str | None, _expression: Any, _connection: BaseDatabaseWrapper) -> Secret | None:
        """Decrypt what the database holds."""
        if not value:
            return None if value is None else Secret()
        try:
            return Secret(cipher().decrypt(value.encode()).decode())
        except InvalidToken:
            logger.error("a value of %s cannot be decrypted with the keys of SPOTIFY_TOKEN_KEYS", self)
            return Secret()

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse comparisons: each encryption of a text differs."""
        if lookup_name != "isnull":
            raise FieldError(f"{self} is encrypted and cannot be compared ({lookup_name})")
        return super().get_lookup(lookup_name)
