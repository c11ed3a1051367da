"""Handlers called after an import; other apps register theirs in ``AppConfig.ready``."""

from collections.abc import Callable

ImportHandler = Callable[[], None]

_handlers: list[ImportHandler] = []


def register_import_handler(handler: ImportHandler) -> None:
    """Have ``handler()`` called after each import that changed the catalogue.

    Registering the same handler again changes nothing.
    """
    if handler not in _handlers:
        _handlers.append(handler)


def songs_came() -> None:
    """Call the handlers."""
    for handler in _handlers:
        handler()
