"""Policies judged on the logged pages: ``manage.py compare``, the retrain's gate, and the page of it."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from feedback.preferences.models import Block, TasteAdjustment
from feedback.ratings.models import Rating
from recommender.adapters import past_feedback
from recommender.adapters.loaded import LoadedModel
from recommender.adapters.logged_pages import listeners_with_pages, logged_pages
from recommender.adapters.past_feedback import PastListener, past_listeners
from recommender.engine import FeedbackKind
from recommender.engine.evaluation import Doubt, Estimate, EstimatorName, Interval, OffPolicyReport
from recommender.lifecycle.held_out import is_test_listener
from recommender.lifecycle.log_comparison import LogComparison
from recommender.lifecycle.validation import Quality
from recommender.lifecycle.versions import active_model
from recommender.models import WEEKLY, ModelVersion, Recommendation
from recommender.operators.comparison import sentences, since_of
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db

PAGE = 5
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def compare(*policies: str, **options: object) -> str:
    out = StringIO()
    call_command("compare", *policies, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def figures(*policies: str, **options: object) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(compare(*policies, json=True, **options))
    return loaded


def listeners(number: int) -> list[User]:
    """Return listeners with fixed ids, so that the same fifth are always test listeners."""
    return [make_user(f"fan{count}", pk=1_000_000 + count) for count in range(number)]


def show(user: User, tracks: list[Track], version: ModelVersion, at: datetime, **columns: object) -> uuid.UUID:
    page = uuid.uuid4()
    Recommendation.objects.bulk_create(
        Recommendation(
            user=user,
            track=track,
            model_version=version,
            page=page,
            position=position,
            score=1.0,
            policy="thompson",
            created_at=at,
            **{"propensity": PAGE / 40, **columns},
        )
        for position, track in enumerate(tracks)
    )
    return page


def random_log(users: list[User], tracks: list[Track], version: ModelVersion, pages: int = 8) -> None:
    """Show pages of five songs at random; one half likes every folk song it is shown, the other every techno song.

    Only test listeners have a log: nobody else is asked.
    """
    rng = np.random.default_rng(3)
    for number, user in enumerate(users):
        if not is_test_listener(np.array([user.pk]))[0]:
            continue
        likes = set(range(20)) if number % 2 else set(range(20, 40))
        rated = {tracks.index(rating.track) for rating in user.ratings.select_related("track")}
        for page in range(pages):
            at = timezone.now() - timedelta(days=20, hours=-page)
            left = sorted(set(range(40)) - rated)
            drawn = [left[int(song)] for song in rng.permutation(len(left))[:PAGE]]
            show(user, [tracks[song] for song in drawn], version, at, propensity=PAGE / len(left))
            liked = likes.intersection(drawn)
            moment = at + timedelta(minutes=1)
            Rating.objects.bulk_create(
                Rating(user=user, track=tracks[song], value=1, updated_at=moment) for song in liked
            )
            rated |= liked


@pytest.fixture
def judged_site() -> ModelVersion:
    tracks, users = make_catalogue(), listeners(120)
    rng = np.random.default_rng(0)
    at = timezone.now() - timedelta(days=40)
    ratings = []
    for number, user in enumerate(users):
        half = tracks[:20] if number % 2 else tracks[20:]
        drawn = [half[int(song)] for song in rng.permutation(20)[:4]]
        ratings += [Rating(user=user, track=track, value=1, updated_at=at) for track in drawn]
    Rating.objects.bulk_create(ratings)
    call_command("retrain", verbosity=0, stdout=StringIO())
    version = ModelVersion.objects.get()
    random_log(users, tracks, version)
    return version


def test_a_song_in_the_place_of_a_rated_one_is_no_page(judged_site: ModelVersion) -> None:
    before = figures("random", str(judged_site.pk))
    tracks = list(Track.objects.order_by("pk"))
    for number, pk in enumerate(sorted(set(Recommendation.objects.values_list("user", flat=True)))):
        # As rating on the page "For you" records what comes instead: one song, at position 0 of a page of its own.
        show(User.objects.get(pk=pk), [tracks[number % 40]], judged_site, timezone.now() - timedelta(days=1))
    after = figures("random", str(judged_site.pk))
    names = ("pages", "listeners", "logged", "policies", "differences")
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


def test_a_model_that_learned_would_have_earned_more_than_chance(judged_site: ModelVersion) -> None:
    name = f"{judged_site.pk}@0"
    results = figures("random", name)
    assert results["policies"]["random"]["not_enough"] == []
    assert results["policies"]["random"]["dr"]["mean"] == pytest.approx(results["logged"]["mean"], rel=0.05)
    # Half of all songs are liked; whoever knows which half finds little else.
    assert results["differences"][name]["dr"]["low"] > 0.5
    output = compare("random", name)
    assert f"{name} would have earned more than random" in output
    assert "…" not in output
    assert len(re.findall(r"\(\d\.\d{3}-\d\.\d{3}\)", output)) == 6


def test_only_test_listeners_judge(judged_site: ModelVersion) -> None:
    users = np.array(sorted(User.objects.values_list("pk", flat=True)))
    held_out = set(users[is_test_listener(users)].tolist())
    assert figures("random", pages=10)["listeners"] <= len(held_out)
    # Pages of somebody the models learned from judge nothing.
    Recommendation.objects.update(user_id=next(pk for pk in users.tolist() if pk not in held_out))
    with pytest.raises(CommandError, match="No page was shown to a test listener"):
        compare("random")


def test_equal_policies_are_equal_to_the_last_digit(judged_site: ModelVersion) -> None:
    call_command("retrain", verbosity=0, force=True, stdout=StringIO())
    second = ModelVersion.objects.latest("pk")
    on_log = second.metrics["on_log"]
    assert list(on_log["policies"]) == [str(judged_site.pk), "candidate"]
    # Fitted on more likes than the first: a difference, and none that keeps it from serving.
    assert on_log["differences"]["candidate"]["dr"]["high"] >= 0.0
    results = figures(f"{second.pk}@0.5", f"{judged_site.pk}@0.5", pages=20)
    assert results["pages"] == 20


def test_the_page_shows_what_versions_would_have_earned(judged_site: ModelVersion, client: Client) -> None:
    client.force_login(make_user("operator", is_staff=True, is_superuser=True))
    page = client.get(reverse("recommender:quality")).content.decode()
    assert "Not compared yet." in page
    call_command("retrain", verbosity=0, force=True, stdout=StringIO())
    second = ModelVersion.objects.latest("pk")
    page = client.get(reverse("recommender:quality")).content.decode()
    assert f"Version {second.pk}: would have earned " in page
    assert "candidate" not in page
    assert 'class="line-chart log-chart"' in page


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        (["99"], "There is no version 99"),
        (["first"], "first: expected a version"),
        (["random@0.5"], "random@0.5: expected a version"),
        (["1@2"], "1@2: expected a version"),
        (["random", "random"], "named twice"),
        (["1@0.5", "01@0.50"], "named twice"),
        (["1", "01"], "named twice"),
        (["random"], "No version is active yet"),
    ],
)
def test_what_cannot_be_compared_is_said(policies: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        compare(*policies)


def test_an_empty_log_is_said(judged_site: ModelVersion) -> None:
    Recommendation.objects.all().delete()
    with pytest.raises(CommandError, match="nothing can be compared"):
        compare("random")


def test_a_small_log_is_not_enough(judged_site: ModelVersion) -> None:
    assert "random: not enough to tell" in compare("random", pages=3)


def test_wrong_options_are_said() -> None:
    with pytest.raises(CommandError, match="--since: expected days or a date"):
        compare("random", since="yesterday")
    with pytest.raises(CommandError, match="--pages: must be at least 1"):
        compare("random", pages=0)


def test_since_is_days_or_a_date() -> None:
    assert since_of("30", NOW) == NOW - timedelta(days=30)
    assert since_of("2026-11-01", NOW) == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.usefixtures("judged_site")
def test_a_date_begins_when_it_does_where_the_site_is(settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Kathmandu"
    assert since_of("2026-11-01", NOW) == datetime(2026, 10, 31, 18, 15, tzinfo=UTC)
    with pytest.raises(CommandError, match="No page was shown to a test listener since 2999-11-01 00:00;"):
        compare("random", since="2999-11-01")
    with pytest.raises(CommandError, match="--since: expected days or a date"):
        compare("random", since="0001-01-01")


def version_of_one() -> ModelVersion:
    return ModelVersion.objects.create(directory="one", fingerprint="")


def test_pages_are_read_with_what_listeners_did() -> None:
    tracks, user, staff, version = make_catalogue(), make_user(), make_user("operator", is_staff=True), version_of_one()
    show(user, tracks[:3], version, NOW, section="made")
    show(user, tracks[3:5], version, NOW + timedelta(hours=1), is_shown=False)
    show(staff, tracks[:3], version, NOW)
    Rating.objects.create(user=user, track=tracks[0], value=1, updated_at=NOW + timedelta(days=1))
    Rating.objects.create(user=user, track=tracks[1], value=1, updated_at=NOW + timedelta(days=8))
    Play.objects.create(user=user, track=tracks[2], outcome="completed", played_at=NOW + timedelta(days=2))
    since, until = NOW - timedelta(days=1), NOW + timedelta(days=1)
    assert listeners_with_pages(since, until) == [user.pk]
    rng = np.random.default_rng(0)
    likes = logged_pages([user.pk], since, until, reward="likes", at_most=10, rng=rng)
    plays = logged_pages([user.pk], since, until, reward="completions", at_most=10, rng=rng)
    assert [page.reward.tolist() for page in likes] == [[1.0, 0.0, 0.0]]
    assert [page.reward.tolist() for page in plays] == [[0.0, 0.0, 1.0]]
    assert likes[0].track_ids.tolist() == [track.pk for track in tracks[:3]]
    assert likes[0].position.tolist() == [0, 1, 2]
    assert likes[0].at == NOW.timestamp()


def test_feedback_is_as_it_was(judged_site: ModelVersion) -> None:
    tracks = list(Track.objects.order_by("pk"))
    user = make_user("new")
    Rating.objects.create(user=user, track=tracks[0], value=1, updated_at=NOW - timedelta(days=2))
    Rating.objects.create(user=user, track=tracks[1], value=-1, updated_at=NOW + timedelta(days=2))
    Play.objects.create(user=user, track=tracks[2], outcome="skipped", played_at=NOW - timedelta(days=1))
    Play.objects.create(user=user, track=tracks[2], outcome="completed", played_at=NOW + timedelta(days=1))
    show(user, tracks[5:7], judged_site, NOW - timedelta(hours=3))
    show(user, tracks[7:9], judged_site, NOW)
    loaded = active_model()
    assert isinstance(loaded, LoadedModel)
    feedback, request = next(past_listeners([user])).request_at(NOW.timestamp(), loaded, 5)
    ids = loaded.model.catalogue.track_ids
    assert [(int(ids[row]), FeedbackKind(kind)) for row, kind in zip(feedback.rows, feedback.kind, strict=True)] == [
        (tracks[0].pk, FeedbackKind.LIKE),
        (tracks[2].pk, FeedbackKind.SKIP),
    ]
    assert sorted(int(ids[row]) for row in request.shown.rows) == [track.pk for track in tracks[5:7]]
    assert (request.k, request.adventure) == (5, user.adventure)


def test_listeners_are_read_in_batches(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tracks, users, version = make_catalogue(), listeners(5), version_of_one()
    for number, user in enumerate(users):
        Rating.objects.create(user=user, track=tracks[number], value=1, updated_at=NOW)
        Play.objects.create(user=user, track=tracks[number + 1], outcome="completed", played_at=NOW)
        Block.objects.create(user=user, track=tracks[number + 2])
        TasteAdjustment.objects.create(user=user, feature="energy", factor=number / 10)
        show(user, tracks[number : number + 3], version, NOW)
        show(user, tracks[9:10], version, NOW - timedelta(days=1), section="made")
        show(user, tracks[10:11], version, NOW, section=WEEKLY)
    users.reverse()
    with django_assert_num_queries(11):
        together = [everything_of(past) for past in past_listeners(users)]
    with django_assert_num_queries(11):
        assert [everything_of(past) for past in past_listeners(users[:2])] == together[:2]
    for number, (pk, ratings, plays, blocks, shown, factor) in enumerate(together):
        user, rank = users[number], len(users) - 1 - number
        assert pk == user.pk
        assert ratings == [[tracks[rank].pk, 1, int(NOW.timestamp())]]
        assert [play[0] for play in plays] == [tracks[rank + 1].pk]
        assert blocks == [tracks[rank + 2].pk]
        yesterday = [tracks[9].pk, int(NOW.timestamp()) - 86_400]
        assert shown == [yesterday, *([track.pk, int(NOW.timestamp())] for track in tracks[rank : rank + 3])]
        assert factor == rank / 10
    monkeypatch.setattr(past_feedback, "LISTENERS_AT_ONCE", 2)
    with django_assert_num_queries(2 + 3 * 9):
        assert [everything_of(past) for past in past_listeners(users)] == together
    # Six rows of each listener: a listener alone may have more than is read at once.
    monkeypatch.setattr(past_feedback, "ROWS_AT_ONCE", 5)
    with django_assert_num_queries(2 + 5 * 9):
        assert [everything_of(past) for past in past_listeners(users)] == together


def everything_of(past: PastListener) -> tuple[Any, ...]:
    tables = (table.tolist() for table in (past.events.rating_table, past.events.play_table))
    blocks = [block.track_id for block in past.blocks]
    return past.user.pk, *tables, blocks, past.shown.tolist(), past.adjustments.feature_factors["energy"]


def comparison(low: float, high: float, doubts: tuple[Doubt, ...] = ()) -> LogComparison:
    value: dict[EstimatorName, Interval] = {"dr": Interval(0.0, 0.0, 0.0)}
    difference: dict[EstimatorName, Interval] = {"dr": Interval((low + high) / 2, low, high)}
    estimates = {"1": Estimate(value, 500.0, 1.0, 0.0, ()), "candidate": Estimate(value, 500.0, 1.0, 0.0, doubts)}
    report = OffPolicyReport(100, 30, Interval(1.0, 0.9, 1.1), np.ones(5), estimates, {"candidate": difference})
    return LogComparison(report, "likes", NOW, NOW)


def test_a_version_that_would_earn_less_does_not_serve() -> None:
    assert Quality(on_log=comparison(-0.4, -0.1)).is_worse
    assert not Quality(on_log=comparison(-0.4, 0.1)).is_worse
    assert not Quality(on_log=comparison(-0.4, -0.1, ("songs",))).is_worse
    assert not Quality().is_worse


def test_figures_are_worded_in_the_readers_notation() -> None:
    interval = {"mean": 1.2344, "low": 1.0, "high": 1.5}
    difference = {"mean": -1.3, "low": -2.0, "high": -0.5}
    figures = {
        "reward": "likes",
        "pages": 80,
        "listeners": 30,
        "logged": interval,
        "policies": {name: {"dr": interval, "not_enough": []} for name in ("14@0.5", "random")},
        "differences": {"random": {"dr": difference}},
    }
    assert sentences(figures) == [
        "The log: 80 pages of 30 listeners; 1,000 such pages earned 1,234 likes.",
        "Version 14@0.5: would have earned 1,000 to 1,500 likes on 1,000 pages, most likely 1,234.",
        "random: would have earned 1,000 to 1,500 likes on 1,000 pages, most likely 1,234.",
        "random would have earned less than Version 14@0.5: -2,000 to -500 on 1,000 pages.",
    ]
    with override("de"):
        assert "1.000 bis 1.500 Likes" in sentences(figures)[1]
        assert sentences(figures)[3].endswith("als Version 14@0.5: -2.000 bis -500 auf 1.000 Seiten.")
