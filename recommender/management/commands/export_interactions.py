"""Write what all listeners did as Parquet, for engines outside."""

from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import Track
from recommender.catalogue_input import load_catalogue
from recommender.cluster import write_interactions
from recommender.engine import EngineConfig
from recommender.engine.arrays import IdArray
from recommender.engine.observations import column_counts, weight_matrix
from recommender.feedback_input import load_interactions


class Command(BaseCommand):
    """``manage.py export_interactions``."""

    help = "Write every listener's signed weights (-1..1) as Parquet files; listeners are numbers, not names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="Where to; it is made if it is not there.")
        parser.add_argument("--parts", type=int, default=8, help="Files on each side (default: %(default)s).")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if options["parts"] < 1:
            raise CommandError("--parts: 1 or more is needed")
        catalogue = load_catalogue()
        given = load_interactions(catalogue, EngineConfig())
        weights = weight_matrix(given.interactions, catalogue.n_tracks)
        heard = column_counts(weights) > 0
        try:
            write_interactions(folder, weights[:, heard], options["parts"])
            _write_items(folder / "items.parquet", catalogue.track_ids[heard])
        except OSError as error:
            raise CommandError(f"{folder}: {error.strerror or error}") from error
        except ImportError as error:
            raise CommandError("pyarrow is not installed: install the extra `cluster`") from error
        if options["verbosity"] > 0:
            listeners, items = weights.shape[0], int(heard.sum())
            self.stdout.write(f"{weights.nnz:,} interactions of {listeners:,} listeners with {items:,} songs: {folder}")


def _write_items(path: Path, track_ids: IdArray) -> None:
    """Which song the ``item`` numbers are: ``track_id`` in this database, and Spotify's id where it is known."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    spotify = dict(Track.objects.values_list("pk", "spotify_id"))
    columns = {
        "item": np.arange(len(track_ids), dtype=np.int32),
        "track_id": track_ids,
        "spotify_id": pa.array([spotify.get(int(pk)) for pk in track_ids], pa.string()),
    }
    pq.write_table(pa.table(columns), path)
