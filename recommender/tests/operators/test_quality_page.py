"""The operator's page: quality of versions, what listeners made of what was shown, activating another version."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Track
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.lifecycle.validation import ACTIVE
from recommender.lifecycle.versions import active_model, model_path
from recommender.models import ModelVersion, Recommendation
from recommender.operators.charts import axis_number, quality_chart
from recommender.operators.online_metrics import Rate, coverage, exploration, policy_lines
from recommender.operators.reports import quality_table
from recommender.templatetags.recommender_tags import percent
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db
PAGE = "/operator/quality/"


@pytest.fixture
def operator(client: Client) -> User:
    user = make_user("operator", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def version_with(blend: float, popularity: float) -> ModelVersion:
    rows = [
        {"scorer": scorer, "reveal": "5", "ndcg_at_10": {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}}
        for scorer, mean in (("blend", blend), ("popularity", popularity))
    ]
    return ModelVersion.objects.create(directory=uuid.uuid4().hex, fingerprint="", metrics={"rows": rows})


def show(user: User, track: Track, version: ModelVersion, *, policy: str = "greedy", **columns: object) -> None:
    Recommendation.objects.create(
        user=user,
        track=track,
        model_version=version,
        page=uuid.uuid4(),
        position=0,
        score=1.0,
        policy=policy,
        propensity=1.0,
        **columns,
    )


def test_listeners_may_not_see_it(client: Client) -> None:
    assert client.get(PAGE).url.startswith(reverse("account_login"))  # type: ignore[attr-defined]
    client.force_login(make_user())
    assert client.get(PAGE).status_code == 403


def test_seeing_is_not_activating(client: Client) -> None:
    viewer = make_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_modelversion"))
    client.force_login(viewer)
    version = version_with(0.3, 0.1)
    assert client.get(PAGE).status_code == 200
    assert client.post(reverse("recommender:activate", args=[version.pk])).status_code == 403


def test_before_the_first_retrain_it_says_what_to_do(client: Client, operator: User) -> None:
    assert "manage.py retrain" in client.get(PAGE).content.decode()


def test_the_chart_shows_each_version_beside_popularity(client: Client, operator: User) -> None:
    first, second = version_with(0.2, 0.1), version_with(0.25, 0.1)
    chart = quality_chart([second, first])
    assert chart is not None
    blend, popularity = chart.lines
    assert [point.label for point in blend.points] == ["0.200", "0.250"]
    assert [point.label for point in popularity.points] == ["0.100", "0.100"]
    assert blend.points[1].y < blend.points[0].y < popularity.points[0].y
    assert blend.points[0].high < blend.points[0].y < blend.points[0].low
    assert [text for _x, text in chart.marks] == [str(first.pk), str(second.pk)]
    page = client.get(PAGE).content.decode()
    assert page.count("<circle") == 4


def test_figures_are_in_the_readers_notation(client: Client, operator: User) -> None:
    version = version_with(0.25, 0.1)
    ModelVersion.objects.filter(pk=version.pk).update(active_slot=True, state=ModelVersion.State.ACTIVE)
    page = client.get(PAGE, headers={"Accept-Language": "de"}).content.decode()
    assert "0,250 (0,240\N{EN DASH}0,260)" in page
    # Rounded, not cut off.
    row = {"scorer": "blend", "reveal": "5", "ndcg_at_10": {"mean": 0.0627, "low": 0.0, "high": 0.1098}}
    with translation.override("en"):
        assert quality_table([row]).lines == [("blend", ["0.063 (0.000\N{EN DASH}0.110)"])]
        assert percent(0.1489) == "14.9 %"
    with translation.override("de"):
        assert [axis_number(value) for value in (0.0, 0.05, 12.5, 25.0, 1500.0)] == ["0", "0,05", "12,5", "25", "1.500"]


def test_like_rates_by_version_and_policy() -> None:
    tracks, user, version = make_catalogue(), make_user(), version_with(0.2, 0.1)
    for track in tracks[:4]:
        show(user, track, version)
    show(user, tracks[4], version, policy="thompson", is_explored=True)
    show(user, tracks[5], version, policy="thompson")
    show(user, tracks[6], version, created_at=timezone.now() - timedelta(days=40))
    show(user, tracks[7], version, created_at=timezone.now() - timedelta(days=20))
    for track, value in ((tracks[0], 1), (tracks[1], -1), (tracks[4], 1), (tracks[6], 1), (tracks[7], 1)):
        rate(user=user, track=track, value=Rating.Value(value))
    greedy, thompson = policy_lines()
    assert (greedy.policy, greedy.liked.count, greedy.disliked.count, greedy.liked.total) == ("greedy", 1, 1, 5)
    assert (thompson.policy, thompson.liked.count, thompson.liked.total) == ("thompson", 1, 2)
    explored = exploration()
    assert (explored.explored.count, explored.explored.total, explored.artists_found) == (1, 1, 1)
    assert (explored.greedy.count, explored.greedy.total) == (0, 1)
    assert (coverage().shown, coverage().songs) == (7, 40)


def test_a_rating_from_before_the_page_is_no_answer_to_it() -> None:
    tracks, user, version = make_catalogue(), make_user(), version_with(0.2, 0.1)
    rate(user=user, track=tracks[0], value=Rating.Value.LIKE)
    show(user, tracks[0], version)
    assert policy_lines()[0].liked.count == 0


def test_the_interval_of_a_rate_is_wilsons() -> None:
    rate_ = Rate.of(8, 10)
    assert (round(rate_.low, 4), round(rate_.high, 4)) == (0.4902, 0.9433)
    assert Rate.of(0, 0) == Rate(0, 0, 0.0, 0.0, 1.0)


def test_an_earlier_version_can_serve_again(client: Client, operator: User) -> None:
    make_catalogue()
    call_command("retrain", verbosity=0)
    call_command("retrain", verbosity=0)
    older, newer = ModelVersion.objects.order_by("pk")
    assert client.get(reverse("recommender:activate", args=[older.pk])).status_code == 405
    answer = client.post(reverse("recommender:activate", args=[older.pk]), follow=True)
    assert f"Version {older.pk} is now active." in answer.content.decode()
    loaded = active_model()
    assert loaded is not None
    assert loaded.version == older
    next(model_path(newer).glob("*.npy")).write_bytes(b"")
    answer = client.post(reverse("recommender:activate", args=[newer.pk]), follow=True)
    assert f"Version {newer.pk} can&#x27;t be activated" in answer.content.decode()
    assert client.post(reverse("recommender:activate", args=[10**6])).status_code == 404


def test_what_was_counted_is_kept_for_a_minute(client: Client, operator: User) -> None:
    tracks, version = make_catalogue(), version_with(0.2, 0.1)
    show(operator, tracks[0], version)
    first = client.get(PAGE).context["online_metrics"]
    show(operator, tracks[1], version)
    assert client.get(PAGE).context["online_metrics"] == first
    cache.delete("recommender:online_metrics")
    anew = client.get(PAGE).context["online_metrics"]
    assert [line.liked.total for line in anew.policies] == [2]
    assert anew.at > first.at


def test_the_number_of_queries_is_constant(
    client: Client, operator: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tracks, version = make_catalogue(), version_with(0.2, 0.1)
    show(operator, tracks[0], version)
    with django_assert_num_queries(8):
        client.get(PAGE)
    for number in range(3):
        show(operator, tracks[number], version_with(0.2, 0.1), policy=f"policy{number}")
    cache.clear()
    with django_assert_num_queries(8):
        client.get(PAGE)


def test_methods_are_named_for_operators(client: Client, operator: User) -> None:
    version = version_with(0.25, 0.1)
    rows = [
        {"scorer": scorer, "reveal": "80%", "ndcg_at_10": {"mean": 0.2, "low": 0.1, "high": 0.3}}
        for scorer in ("popularity", "blend", ACTIVE)
    ]
    active = {"active_slot": True, "state": ModelVersion.State.ACTIVE, "metrics": {"rows": rows}}
    ModelVersion.objects.filter(pk=version.pk).update(**active)
    table = client.get(PAGE).context["active_quality"]
    assert table.reveals == ["80 %"]
    # What was active when the version was measured is not what is active now.
    assert [scorer for scorer, _cells in table.lines] == [
        "Popularity alone", "This version", "The version active before it",
    ]  # fmt: skip
    german = client.get(PAGE, headers={"Accept-Language": "de"}).context["active_quality"]
    assert german.lines[2][0] == "Die Version, die davor aktiv war"
