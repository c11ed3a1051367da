"""Findings of the doctor."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: as it should be; worth a look; something does not work."""

    OK = "ok"
    LOOK = "look"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``advice`` says what to do where it is not as it should be."""

    name: str
    level: Level
    text: str
    advice: str = ""


def ok(name: str, text: str) -> Finding:
    """Return the finding that ``name`` is as it should be."""
    return Finding(name, Level.OK, text)


def look(name: str, text: str, advice: str) -> Finding:
    """Return the finding that ``name`` works, but may not be what is wanted."""
    return Finding(name, Level.LOOK, text, advice)


def broken(name: str, text: str, advice: str) -> Finding:
    """Return the finding that ``name`` does not work."""
    return Finding(name, Level.BROKEN, text, advice)
