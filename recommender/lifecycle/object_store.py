"""The interface of an object storage, as the model store needs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class StoreError(Exception):
    """The store does not answer or refuses; the message names it."""


class UnusableCopyError(StoreError):
    """The store answers, but what is wanted is not in it, or is damaged there."""


@dataclass(frozen=True)
class StoredObject:
    """One object: its key below the store's own folder, and when it was written."""

    key: str
    modified: datetime


class ObjectStore(Protocol):
    """Objects by key (``folder/name``). ``str()`` of it is its address. Every call may raise ``StoreError``."""

    def put(self, file: Path, key: str) -> None:
        """Store the file, in place of what was there."""

    def get(self, key: str, file: Path, limit: int) -> None:
        """Write the object into ``file``, which is on the disk then. Objects of more than ``limit`` bytes are not
        fetched.

        Raise ``UnusableCopyError`` where there is none, or a larger one.
        """

    def has(self, key: str) -> bool:
        """Return whether there is such an object."""

    def objects(self) -> Iterator[StoredObject]:
        """Iterate over all objects."""

    def delete(self, key: str) -> None:
        """Delete the object; nothing happens where there is none."""
