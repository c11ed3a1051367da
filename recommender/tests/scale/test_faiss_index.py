"""The index of very large catalogues, on a small one that is told to be large."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from recommender.engine import EngineConfig, ModelDamagedError, RetrievalConfig, load_model
from recommender.lifecycle.loading import read_model
from recommender.lifecycle.training import retrain
from recommender.lifecycle.versions import active_model, forget_loaded, model_path
from recommender.models import ModelVersion
from recommender.pages.feed import recommend_feed
from recommender.scale import faiss_index as nearest
from recommender.tests.builders import make_catalogue, make_user

SMALL = EngineConfig(retrieval=RetrievalConfig(above=10, probe_share=1.0))
DRAWS = np.random.default_rng(2).standard_normal((20_000, 16)).astype(np.float32)


def hide_faiss(monkeypatch: pytest.MonkeyPatch) -> None:
    # As Python has it for a module that cannot be imported.
    monkeypatch.setitem(sys.modules, "faiss", None)
    nearest.say_once.cache_clear()


class TestFaiss:
    @pytest.fixture(autouse=True)
    def needs_faiss(self) -> None:
        pytest.importorskip("faiss")

    def test_it_finds_the_largest_products(self) -> None:
        index = nearest.build_index(lambda rows: DRAWS[rows], len(DRAWS), DRAWS[:100], seed=3)
        recall = {1.0: 0.0, 0.3: 0.0}
        for query in DRAWS[:20]:
            best = np.argsort(-(DRAWS @ query))[:50]
            for probe_share in recall:
                recall[probe_share] += float(np.isin(best, index.nearest(query, 200, probe_share)).mean()) / 20
        assert recall[1.0] > 0.93
        assert 0.5 < recall[0.3] < recall[1.0]

    def test_few_vectors_are_indexed_as_well(self) -> None:
        for number in (1, 3):
            index = nearest.build_index(lambda rows: DRAWS[rows], number, DRAWS[:100], seed=3)
            assert sorted(index.nearest(DRAWS[0], 5, 0.01).tolist()) == list(range(number))

    def test_what_was_written_is_found_again(self, tmp_path: Path) -> None:
        index = nearest.build_index(lambda rows: DRAWS[rows], len(DRAWS), DRAWS[:100], seed=3)
        index.write(tmp_path / "x.index")
        opened = nearest.open_index(tmp_path / "x.index")
        assert opened is not None
        assert opened.nearest(DRAWS[5], 9, 0.5).tolist() == index.nearest(DRAWS[5], 9, 0.5).tolist()
        (tmp_path / "x.index").write_bytes(b"no index at all")
        with pytest.raises(ValueError, match=r"x\.index"):
            nearest.open_index(tmp_path / "x.index")

    @pytest.mark.django_db
    def test_a_retrain_builds_it_and_the_feed_is_the_same(self) -> None:
        make_catalogue()
        user = make_user()
        pages = []
        for config in (EngineConfig(), SMALL):
            result = retrain(force=True, config=config)
            assert result.version is not None
            assert result.note == ""
            feed = recommend_feed(user=user, k=10, adventure=0.0)
            assert feed is not None
            pages.append([item.track.pk for item in feed.items])
        assert pages[0] == pages[1]
        assert result.version is not None
        assert "index" in result.version.timings
        loaded = active_model()
        assert loaded is not None
        assert loaded.model.retriever is not None
        assert (model_path(result.version) / "shortlist.blend.index").is_file()

    @pytest.mark.django_db
    def test_a_damaged_index_is_said_to_be(self) -> None:
        make_catalogue()
        version = retrain(config=SMALL).version
        assert version is not None
        file = model_path(version) / "shortlist.blend.index"
        file.write_bytes(b"x" * file.stat().st_size)
        with pytest.raises(ModelDamagedError, match=r"shortlist\.blend\.index"):
            load_model(model_path(version), open_index=nearest.open_index)

    @pytest.mark.django_db
    def test_a_model_with_an_index_serves_where_the_library_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        make_catalogue()
        version = retrain(config=SMALL).version
        assert version is not None
        forget_loaded()
        hide_faiss(monkeypatch)
        with caplog.at_level(logging.WARNING):
            models = [read_model(model_path(version)) for _time in range(2)]
        assert [model.retriever for model in models] == [None, None]
        assert [record.message for record in caplog.records] == [f"40 songs, and {nearest.EVERY_SONG}"]
        feed = recommend_feed(user=make_user(), k=10)
        assert feed is not None
        assert len(feed.items) == 10


@pytest.mark.django_db
def test_without_the_library_every_song_is_scored_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hide_faiss(monkeypatch)
    make_catalogue()
    with caplog.at_level(logging.WARNING):
        result = retrain(config=SMALL)
        active_model()
    assert result.note == nearest.EVERY_SONG
    assert result.version is not None
    assert "index" not in result.version.timings
    assert [record.message for record in caplog.records] == [f"40 songs, and {nearest.EVERY_SONG}"]
    feed = recommend_feed(user=make_user(), k=10)
    assert feed is not None
    assert len(feed.items) == 10


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from recommender.engine import load_model, save_model, with_retriever
from recommender.engine import RetrievalConfig
from recommender.tests.engine.retrieval.test_retriever import build_plain

class Killed:
    def nearest(self, query, limit, probe_share):
        raise NotImplementedError
    def write(self, path):
        path.write_bytes(b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)

old, new = map(Path, sys.argv[1:])
model = load_model(old)
model = replace(model, config=replace(model.config, retrieval=RetrievalConfig(above=10)))
model = with_retriever(model, build_plain)
save_model(replace(model, retriever=replace(model.retriever, index=Killed())), new)
"""


@pytest.mark.django_db
def test_killed_while_the_index_is_written_the_old_model_serves(model_dir: Path) -> None:
    make_catalogue()
    old = retrain().version
    assert old is not None
    new = model_dir / "20300101T000000-abcdef"
    command = [sys.executable, "-c", KILLED, str(model_path(old)), str(new)]
    assert subprocess.run(command, check=False, env=os.environ).returncode == -signal.SIGKILL
    assert not new.exists()
    assert list(model_dir.glob(f".{new.name}.*/shortlist.blend.index"))
    forget_loaded()
    loaded = active_model()
    assert loaded is not None
    assert loaded.version == old
    call_command("retrain", verbosity=0)
    left = {path.name for path in model_dir.iterdir() if path.is_dir()}
    assert left == {version.directory for version in ModelVersion.objects.all()}
