"""``manage.py retrain`` and the service behind it."""

import fcntl
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from pytest_django import Settings

from accounts.models import User
from catalog.models import Track, TrackArtist
from feedback.plays.services import record_play
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from feedback.source import Source
from recommender.lifecycle.held_out import is_test_listener
from recommender.lifecycle.training import EmptyCatalogueError, retrain
from recommender.lifecycle.versions import activate, active_model, forget_loaded, model_path
from recommender.models import ModelVersion
from recommender.pages.feed import recommend_feed
from recommender.tests.builders import make_catalogue, make_track, make_user

pytestmark = pytest.mark.django_db


def run(**options: object) -> str:
    out = StringIO()
    call_command("retrain", stdout=out, **options)
    return out.getvalue()


def test_it_writes_a_version_that_serves() -> None:
    make_catalogue()
    output = run()
    version = ModelVersion.objects.get()
    assert version.state == ModelVersion.State.ACTIVE
    assert version.fitted_on == {"songs": 40, "artists": 10, "genres": 2, "listeners": 0, "interactions": 0}
    assert set(version.timings) == {"read", "fit", "estimate", "write"}
    assert f"Trained model version {version.pk} on 40 songs, 10 artists, 2 genres, 0 listeners" in output
    assert "too few to measure" in output
    loaded = active_model()
    assert loaded is not None
    assert loaded.version == version
    assert loaded.model.catalogue.n_tracks == 40


def test_quality_is_measured_on_listeners_held_out() -> None:
    tracks = make_catalogue()
    for number in range(20):
        # Who is a test listener follows from the id: with other ids there could be too few of them.
        user = make_user(f"listener{number}", pk=1_000_000 + number)
        for track in tracks[:20:3] if number % 2 else tracks[20::3]:
            rate(user=user, track=track, value=Rating.Value.LIKE)
    output = run()
    metrics = ModelVersion.objects.get().metrics
    scorers = {"popularity", "audio", "content", "blend"}
    results = {(row["scorer"], row["reveal"]) for row in metrics["rows"]}
    assert results == {(scorer, reveal) for scorer in scorers for reveal in ("1", "5", "80%")}
    assert len({row["listeners"] for row in metrics["rows"]}) == 1
    quality = {row["scorer"]: row["ndcg_at_10"] for row in metrics["rows"] if row["reveal"] == "1"}
    blend = quality["blend"]
    assert 0.0 < blend["low"] <= blend["mean"] <= blend["high"] <= 1.0
    assert f"{blend['mean']:.3f} ({blend['low']:.3f}\u2013{blend['high']:.3f})" in output


def test_if_needed_does_nothing_when_nothing_changed() -> None:
    tracks, user = make_catalogue(), make_user()
    run(if_needed=True)
    assert "Nothing to do." in run(if_needed=True)
    assert ModelVersion.objects.count() == 1
    rate(user=user, track=tracks[0], value=Rating.Value.LIKE)
    run(if_needed=True)
    rate(user=user, track=tracks[0], value=None)
    run(if_needed=True)
    make_track("New")
    run(if_needed=True)
    tracks[0].is_active = False
    tracks[0].save()
    run(if_needed=True)
    assert ModelVersion.objects.count() == 5
    assert "Nothing to do." in run(if_needed=True)


def test_if_needed_fits_again_when_the_file_is_gone() -> None:
    make_catalogue()
    run()
    version = ModelVersion.objects.get()
    model_path(version).rename(model_path(version).with_name("elsewhere"))
    run(if_needed=True)
    assert ModelVersion.objects.count() == 2


def test_an_empty_catalogue_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="import_tracks"):
        run()
    with pytest.raises(EmptyCatalogueError):
        retrain()
    assert not ModelVersion.objects.exists()


def test_a_second_retrain_at_the_same_time_is_refused(model_dir: Path) -> None:
    make_catalogue()
    model_dir.mkdir(parents=True)
    with (model_dir / ".retrain.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="Another retraining is running"):
            run()
    assert not ModelVersion.objects.exists()


def test_what_a_killed_retrain_left_is_removed(model_dir: Path) -> None:
    make_catalogue()
    (model_dir / ".20260101T000000-abc.tmp").mkdir(parents=True)
    (model_dir / "20260101T000000-abcdef").mkdir()
    run()
    assert {path.name for path in model_dir.iterdir() if path.is_dir()} == {ModelVersion.objects.get().directory}


def test_old_files_are_removed_and_the_active_one_stays(settings: Settings) -> None:
    settings.MODELS_KEPT = 2
    make_catalogue()
    run()
    first = ModelVersion.objects.get()
    run()
    activate(version=first)
    run()
    run()
    kept_pks = [version.pk for version in ModelVersion.objects.order_by("pk") if model_path(version).is_dir()]
    assert len(kept_pks) == 2
    assert ModelVersion.objects.filter(active_slot=True).get().pk in kept_pks


def test_one_version_is_active_at_most() -> None:
    make_catalogue()
    run()
    run()
    older, newer = ModelVersion.objects.order_by("pk")
    assert [older.state, newer.state] == [ModelVersion.State.RETIRED, ModelVersion.State.ACTIVE]
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=older.pk).update(state=ModelVersion.State.ACTIVE, active_slot=True)
    activate(version=older)
    loaded = active_model()
    assert loaded is not None
    assert loaded.version.pk == older.pk


@pytest.mark.parametrize("damage", ["missing", "manifest", "array"])
def test_a_damaged_file_falls_back_to_the_one_before(damage: str, caplog: pytest.LogCaptureFixture) -> None:
    make_catalogue()
    run()
    run()
    older, newer = ModelVersion.objects.order_by("pk")
    path = model_path(newer)
    if damage == "missing":
        path.rename(path.with_name("elsewhere"))
    elif damage == "manifest":
        (path / "manifest.json").write_text("{")
    else:
        array = next(path.glob("*.npy"))
        array.write_bytes(array.read_bytes()[:-8])
    forget_loaded()
    loaded = active_model()
    assert loaded is not None
    assert loaded.version == older
    assert f"model version {newer.pk} can't be used" in caplog.text


def test_listener_data_from_spotify_is_never_fitted_on() -> None:
    tracks = make_catalogue()
    here, there = make_user("here"), make_user("there")
    rate(user=here, track=tracks[0], value=Rating.Value.LIKE)
    rate(user=there, track=tracks[1], value=Rating.Value.LIKE, source=Source.SPOTIFY)
    record_play(user=there, track=tracks[2], source=Source.SPOTIFY)
    run()
    assert ModelVersion.objects.get().fitted_on["listeners"] == 1
    assert ModelVersion.objects.get().fitted_on["interactions"] == 1
    # The listener's own page does follow it: it is their data.
    feed = recommend_feed(user=there)
    assert feed is not None
    assert feed.amount > 0
    # A click of their own on the same song is theirs to share.
    rate(user=there, track=tracks[1], value=Rating.Value.LIKE)
    run()
    assert ModelVersion.objects.latest("pk").fitted_on["interactions"] == 2


def fans(tracks: list[Track]) -> None:
    """Make 30 listeners who each like all songs of two artists."""
    for number in range(30):
        # Who is a test listener follows from the id: with other ids there could be too few of them.
        user = make_user(f"fan{number}", pk=1_000_000 + number)
        for artist in (number % 10, (number * 7 + 3) % 10):
            for track in tracks[4 * artist : 4 * artist + 4]:
                rate(user=user, track=track, value=Rating.Value.LIKE)


def lose_what_is_known_of_songs() -> None:
    TrackArtist.objects.all().delete()
    Track.genres.through.objects.all().delete()
    Track.objects.update(features={}, popularity=None)
    Rating.objects.exclude(user__in=held_out()).delete()


def held_out() -> list[int]:
    users = np.array(User.objects.order_by("pk").values_list("pk", flat=True))
    return [int(pk) for pk in users[is_test_listener(users)]]


def test_a_worse_model_does_not_serve_unless_forced() -> None:
    fans(make_catalogue())
    assert "it is now active" in run()
    before = ModelVersion.objects.get()
    lose_what_is_known_of_songs()
    output = run()
    assert "it scores worse than the active version" in output
    worse = ModelVersion.objects.latest("pk")
    assert worse.state == ModelVersion.State.CANDIDATE
    assert worse.metrics["against_active"]["high"] < 0
    loaded = active_model()
    assert loaded is not None
    assert loaded.version == before
    assert "Nothing to do." in run(if_needed=True)
    assert "it is now active" in run(force=True)
    loaded = active_model()
    assert loaded is not None
    assert loaded.version == ModelVersion.objects.latest("pk")


def test_the_same_data_measure_the_same_and_serve() -> None:
    fans(make_catalogue())
    run()
    assert "+0.0000" in run()
    assert ModelVersion.objects.latest("pk").state == ModelVersion.State.ACTIVE


def test_who_is_a_test_listener_depends_on_the_id_alone() -> None:
    some = is_test_listener(np.arange(1000))
    assert 150 < some.sum() < 250
    assert (is_test_listener(np.arange(500, 1000)) == some[500:]).all()


def test_incremental_folds_new_songs_and_listeners_in() -> None:
    tracks = make_catalogue()
    fans(tracks)
    run()
    new = make_track("New", ["Artist 3"], ["folk"], popularity=10)
    late = make_user("late")
    for track in tracks[12:15]:
        rate(user=late, track=track, value=Rating.Value.LIKE)
    assert "it is now active" in run(incremental=True)
    loaded = active_model()
    assert loaded is not None
    assert loaded.version == ModelVersion.objects.latest("pk")
    assert loaded.version.fitted_on["songs"] == 41
    assert loaded.version.fitted_on["listeners"] == 31
    feed = recommend_feed(user=late, adventure=0.0)
    assert feed is not None
    shown = {item.track.title for item in feed.items}
    assert {new.title, "Song 3.3"} <= shown


def test_incremental_without_a_model_fits_one() -> None:
    make_catalogue()
    assert "it is now active" in run(incremental=True)


def test_songs_without_features_get_estimates_marked_as_such() -> None:
    make_catalogue()
    bare = make_track("Bare", ["Artist 9"], ["techno"])
    entered = make_track("Entered", ["Artist 9"], ["techno"], features={"energy": 0.2}, features_origin="operator")
    unknown = make_track("Unknown", ["Nobody"], ["silence"])
    run()
    for track in (bare, entered, unknown):
        track.refresh_from_db()
    assert bare.features_origin == Track.FeaturesOrigin.ESTIMATED
    assert 0.7 < bare.features["energy"] <= 0.9
    assert (entered.features_origin, entered.features) == ("operator", {"energy": 0.2})
    assert (unknown.features_origin, unknown.features) == ("", {})
    assert "Nothing to do." in run(if_needed=True)
