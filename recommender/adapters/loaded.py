"""A fitted model together with its database row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recommender.models import ModelVersion

if TYPE_CHECKING:
    from recommender.engine import Model


@dataclass(frozen=True)
class LoadedModel:
    """A model in this process's memory (its arrays mapped from the file, so shared between processes)."""

    version: ModelVersion
    model: Model
    regions: tuple[str, ...]
