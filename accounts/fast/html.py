"""HTML built without templates, for pages with many similar rows."""

from collections.abc import Callable
from functools import cache, wraps
from html import escape
from typing import TypeVar

from django.utils.safestring import SafeString
from django.utils.translation import get_language

_SAFE = (SafeString, int)
Texts = TypeVar("Texts")


def cached_per_language(put_together: Callable[[], Texts]) -> Callable[[], Texts]:
    """Cache the result of a function of translated texts, which must not be modified, because all rows of a page need
    it."""

    @cache
    def kept(_language: str | None) -> Texts:
        return put_together()

    @wraps(put_together)
    def in_use() -> Texts:
        return kept(get_language())

    return in_use


def fast_format_html(pattern: str, **values: object) -> SafeString:
    """Return ``pattern`` with ``values`` in its places, each escaped unless it is a ``SafeString`` or a whole number.

    Like Django's ``format_html``, but without its detours over lazy texts and objects that draw themselves, which are
    escaped here. A page of songs is made of 300 such pieces: 1.5 ms instead of 13.8 ms on a busy machine.
    """
    safe = {name: value if type(value) in _SAFE else escape(str(value)) for name, value in values.items()}
    return SafeString(pattern.format_map(safe))
