"""Model quality as a table of plain cells, shared by commands and pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from recommender.lifecycle.model_store import kept_directories
from recommender.lifecycle.validation import ACTIVE
from recommender.lifecycle.versions import model_path
from recommender.models import ModelVersion


@dataclass(frozen=True)
class QualityTable:
    """One figure per scorer and amount revealed, as text; empty where it was not measured."""

    reveals: list[str]
    lines: list[tuple[str, list[str]]]


def quality_table(rows: Iterable[Mapping[str, Any]], metric: str = "ndcg_at_10") -> QualityTable:
    """Return ``rows`` of ``ModelVersion.metrics`` as mean and 95 % interval per scorer and amount revealed."""
    rows = list(rows)
    reveals = list(dict.fromkeys(row["reveal"] for row in rows))
    lines = []
    for scorer in dict.fromkeys(row["scorer"] for row in rows):
        figures = {row["reveal"]: row[metric] for row in rows if row["scorer"] == scorer}
        lines.append((scorer, [_cell(figures.get(reveal)) for reveal in reveals]))
    return QualityTable(reveals, lines)


def worded(table: QualityTable) -> QualityTable:
    """Return the table of an active version with its methods and amounts as operators read them."""
    # The model that was active when the version was measured is not active any more.
    words = {
        "blend": _("This version"),
        ACTIVE: _("The version active before it"),
        "popularity": _("Popularity alone"),
        "audio": _("Sound alone"),
        "content": _("The songs' own features alone"),
    }
    lines = [(words.get(scorer, scorer), cells) for scorer, cells in table.lines]
    return QualityTable([reveal.replace("%", " %") for reveal in table.reveals], lines)


def headline(version: ModelVersion, scorer: str = "blend", reveal: str = "5") -> float | None:
    """Return the version's nDCG@10 of ``scorer`` at ``reveal`` songs, ``None`` where it was not measured."""
    for row in version.metrics.get("rows", []):
        if row["scorer"] == scorer and row["reveal"] == reveal:
            return float(row["ndcg_at_10"]["mean"])
    return None


def with_file(versions: Iterable[ModelVersion]) -> set[int]:
    """Return the ids of those whose file is still there, so that they can be made active.

    A store is not asked, because it has the files of all versions that are kept.
    """
    stored = kept_directories(settings.MODELS_KEPT) if settings.MODEL_STORE else set()
    return {version.pk for version in versions if version.directory in stored or model_path(version).is_dir()}


def _cell(interval: Mapping[str, float] | None) -> str:
    if not interval:
        return ""
    mean, low, high = (number_format(f"{interval[key]:.3f}") for key in ("mean", "low", "high"))
    return f"{mean} ({low}\N{EN DASH}{high})"
