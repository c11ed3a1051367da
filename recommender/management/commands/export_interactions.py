"""Write what all listeners did as Parquet, for engines outside."""

from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import Track
from jobs.files import whole_file
from recommender.adapters.catalogue import load_catalogue
from recommender.adapters.interactions import load_interactions
from recommender.engine import EngineConfig, IdArray, column_counts, weight_matrix
from recommender.scale.cluster import write_interactions


class Command(BaseCommand):
    """``manage.py export_interactions``."""

    help = (
        "Export how much each listener likes each song (-1 to 1) as Parquet files. Listeners appear as numbers, "
        "not names."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="Target folder. It is created if it doesn't exist.")
        parser.add_argument(
            "--parts", type=int, default=8, help="Number of files for listeners and for songs (default: %(default)s)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if options["parts"] < 1:
            raise CommandError("--parts: must be 1 or more")
        catalogue = load_catalogue()
        all_feedback = load_interactions(catalogue, EngineConfig())
        weights = weight_matrix(all_feedback.interactions, catalogue.n_tracks)
        heard = column_counts(weights) > 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with whole_file(folder / "items.parquet") as draft:
                _write_items(draft, catalogue.track_ids[heard])
            # Last: with its manifest the folder is complete.
            write_interactions(folder, weights[:, heard], options["parts"])
        except OSError as error:
            raise CommandError(f"{folder}: {error.strerror or error}") from error
        except ImportError as error:
            raise CommandError("pyarrow isn't installed. Install the extra `cluster`.") from error
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
