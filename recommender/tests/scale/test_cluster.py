"""The factorisation on a real Dask cluster of two workers, and the Parquet files that it reads."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.engine import EngineConfig, FactorConfig, Sparse, column_counts, factorise, membership, weight_matrix
from recommender.lifecycle.versions import active_model
from recommender.models import ModelVersion
from recommender.scale.cluster import factorise_on_dask, write_interactions
from recommender.scale.cluster.parquet import MANIFEST, Side, entries, read_part, read_side
from recommender.tests.builders import make_catalogue, make_user
from recommender.tests.engine.build import random_catalogue, random_interactions

pytest.importorskip("distributed", reason="the extra cluster is not installed")
pytest.importorskip("pyarrow", reason="the extra cluster is not installed")


@pytest.fixture(scope="module")
def weights() -> Sparse:
    matrix = weight_matrix(random_interactions(random_catalogue()), random_catalogue().n_tracks)
    return matrix[:, column_counts(matrix) > 0]


@pytest.mark.parametrize("parts", [1, 3, 50])
def test_what_is_written_is_read_back(weights: Sparse, tmp_path: Path, parts: int) -> None:
    write_interactions(tmp_path, weights, parts)
    sides: list[tuple[Side, Sparse]] = [("by_listener", weights), ("by_item", weights.T.tocsr())]
    for side, matrix in sides:
        parts_read = read_side(tmp_path, side)
        assert len(parts_read) == parts
        assert [part.first for part in parts_read[1:]] == [part.last for part in parts_read[:-1]]
        blocks = [read_part(part, side) for part in parts_read]
        np.testing.assert_array_equal(np.concatenate([block.data for block in blocks]), matrix.data)
        np.testing.assert_array_equal(np.concatenate([block.indices for block in blocks]), matrix.indices)
        np.testing.assert_array_equal(entries(tmp_path, side), np.diff(matrix.indptr))


def test_an_export_that_was_killed_is_not_read(weights: Sparse, tmp_path: Path) -> None:
    write_interactions(tmp_path, weights, 2)
    (tmp_path / MANIFEST).unlink()
    with pytest.raises(FileNotFoundError):
        read_side(tmp_path, "by_listener")


def test_a_cluster_finds_the_factors_that_one_machine_finds(weights: Sparse, tmp_path: Path) -> None:
    catalogue = random_catalogue()
    matrix = weight_matrix(random_interactions(catalogue), catalogue.n_tracks)
    heard = column_counts(matrix) > 0
    credits_ = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)[heard]
    config = FactorConfig(factors=8)
    write_interactions(tmp_path, weights, 5)
    steps: list[float] = []
    fitted = factorise_on_dask(
        tmp_path, credits_, config, np.random.default_rng(3), progress=lambda _step, share: steps.append(share)
    )
    alone = factorise(weights, credits_, config, np.random.default_rng(3))
    np.testing.assert_allclose(fitted.items, alone.items, atol=1e-5)
    np.testing.assert_allclose(fitted.gram, alone.gram, atol=1e-4)
    assert fitted.mean_length == alone.mean_length
    assert steps == [step / config.iterations for step in range(config.iterations)]


@pytest.mark.django_db
def test_a_retrain_takes_the_factors_back(model_dir: Path) -> None:
    tracks = make_catalogue()
    for number in range(25):
        rate(user=make_user(f"listener{number}"), track=tracks[number], value=Rating.Value.LIKE)
    call_command("retrain", engine="dask", stdout=StringIO())
    version, loaded = ModelVersion.objects.get(), active_model()
    assert version.state == ModelVersion.State.ACTIVE
    assert loaded is not None
    rows = loaded.model.catalogue.rows_of(np.array([track.pk for track in tracks]))
    assert loaded.model.embedding(rows).shape == (40, EngineConfig().terms.factors.factors)
    assert [folder.name for folder in model_dir.iterdir() if folder.is_dir()] == [version.directory]
    # From the same start, so that it is the model that one machine finds.
    call_command("retrain", force=True, stdout=StringIO())
    alone = active_model()
    assert alone is not None
    assert alone.version.pk != version.pk
    np.testing.assert_allclose(alone.model.embedding(rows), loaded.model.embedding(rows), atol=1e-5)


@pytest.mark.django_db
def test_an_export_for_other_engines(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    tracks = make_catalogue()
    ada, ben = make_user("ada"), make_user("ben")
    for user, track, value in ((ada, tracks[3], 1), (ada, tracks[7], -1), (ben, tracks[7], 1)):
        rate(user=user, track=track, value=Rating.Value(value))
    out = StringIO()
    call_command("export_interactions", str(tmp_path / "out"), parts=1, stdout=out)
    assert "3 interactions of 2 listeners with 2 songs" in out.getvalue()
    table = pq.read_table(tmp_path / "out" / "by_listener" / "part-00000.parquet").to_pydict()
    items = pq.read_table(tmp_path / "out" / "items.parquet").to_pydict()
    songs = [items["track_id"][item] for item in table["item"]]
    assert list(zip(table["listener"], songs, table["weight"], strict=True)) == [
        (0, tracks[3].pk, 1.0),
        (0, tracks[7].pk, -1.0),
        (1, tracks[7].pk, 1.0),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheduler": "tcp://127.0.0.1:9"}, "need --engine dask"),
        ({"engine": "dask", "incremental": True}, "can.t be combined with --incremental"),
        ({"engine": "dask", "exchange": Path("/none/here")}, "/none/here: "),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("retrain", **options)


@pytest.mark.django_db
def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.scale.cluster.als.CONNECT_SECONDS", 1)
    tracks = make_catalogue()
    for number in range(25):
        rate(user=make_user(f"listener{number}"), track=tracks[number], value=Rating.Value.LIKE)
    with pytest.raises(CommandError, match=r"can't reach the Dask scheduler at tcp://127\.0\.0\.1:9"):
        call_command("retrain", engine="dask", scheduler="tcp://127.0.0.1:9", exchange=tmp_path)
    assert not ModelVersion.objects.exists()
