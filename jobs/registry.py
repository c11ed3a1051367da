"""The kinds of work there are. Apps above add theirs in ``AppConfig.ready``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from jobs.running import Run


@dataclass(frozen=True)
class Kind:
    """A kind of work.

    handler: does it; is given the run, whose ``job.arguments`` say what to do. What it returns is the log's last line.
        It may be run again after it was killed at any place, and has to end the same.
    every: how long after one run the next begins, asked anew each time; ``None``: not by itself.
    is_startable: whether operators may start it from the administration, without arguments.
    """

    name: str
    label: str | Promise
    handler: Callable[[Run], str]
    every: Callable[[], timedelta | None] | None = None
    is_startable: bool = False


_kinds: dict[str, Kind] = {}


def register_kind(kind: Kind) -> None:
    """Add a kind of work; registering the same again changes nothing."""
    _kinds[kind.name] = kind


def kind_of(name: str) -> Kind | None:
    """Return the kind of that name; ``None`` where this version of the site knows none (any more)."""
    return _kinds.get(name)


def label_of(name: str) -> str:
    """Return what the kind is called."""
    return str(_kinds[name].label) if name in _kinds else name


def all_kinds() -> list[Kind]:
    """Return all kinds, by name."""
    return [_kinds[name] for name in sorted(_kinds)]
