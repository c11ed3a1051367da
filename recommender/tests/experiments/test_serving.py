"""Who is served by which arm, and what that costs a page."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Track
from feedback.ratings.services import rate
from recommender.experiments.services import adopt_arm, reset_site_setting, start_experiment, stop_experiment
from recommender.experiments.serving import arm_number, bucket_of, serving_for, setting_of, site_setting
from recommender.lifecycle.versions import model_path
from recommender.models import Experiment, ExperimentArm, ModelVersion, Recommendation, SiteServing
from recommender.pages.cached_feed import cached_feed, current_page
from recommender.pages.feed import recommend_feed
from recommender.pages.for_you import recommend_for_you
from recommender.tests.builders import make_user
from recommender.tests.experiments.conftest import make_experiment

pytestmark = pytest.mark.django_db
ListenerOf = Callable[[Experiment, int], User]


def served(user: User) -> tuple[int | None, float]:
    """Return the arm and the dial of a listener's page."""
    serving = serving_for(user)
    assert serving is not None
    return serving.arm_id, serving.adventure


def test_arms_are_even_and_independent_between_experiments() -> None:
    users = range(1, 4001)
    first, second = (Counter((arm_number(user, salt, 2),) for user in users) for salt in ("a", "b"))
    both = Counter((arm_number(user, "a", 2), arm_number(user, "b", 2)) for user in users)
    assert all(1900 < count < 2100 for count in (*first.values(), *second.values()))
    assert all(900 < both[pair] < 1100 for pair in ((0, 0), (0, 1), (1, 0), (1, 1)))
    assert sorted({bucket_of(user) for user in users}) == list(range(100))


def test_an_arm_is_the_same_in_every_process_and_release() -> None:
    arms = [arm_number(user, "0123456789abcdef", 3) for user in range(1, 9)]
    assert arms == [2, 1, 2, 2, 2, 1, 1, 1]


def test_listeners_of_an_arm_get_its_setting_and_their_songs_say_so(
    version: ModelVersion, listener_of: ListenerOf
) -> None:
    experiment = make_experiment("dial=0.9 page.max_per_artist=1 shelves=popular,made")
    control, arm = experiment.arms.all()
    start_experiment(experiment=experiment)
    of_control, of_arm = listener_of(experiment, 0), listener_of(experiment, 1)
    assert served(of_control) == (control.pk, 0.3)
    assert served(of_arm) == (arm.pk, 0.9)
    serving = serving_for(of_arm)
    assert serving is not None
    assert serving.loaded.model.config.page.max_per_artist == 1
    assert serving.shelves[:2] == ("popular", "made")
    for user in (of_control, of_arm):
        recommend_feed(user=user, k=5)
    shown = Recommendation.objects.order_by("user").values_list("user", "arm").distinct()
    assert set(shown) == {(of_control.pk, control.pk), (of_arm.pk, arm.pk)}


def test_a_listener_keeps_a_dial_they_set_themselves(version: ModelVersion, listener_of: ListenerOf) -> None:
    experiment = make_experiment("dial=0.9")
    start_experiment(experiment=experiment)
    user = listener_of(experiment, 1)
    user.adventure = 0.1
    assert served(user)[1] == 0.1


def test_operators_others_and_old_experiments_count_for_no_arm(version: ModelVersion, listener_of: ListenerOf) -> None:
    experiment = make_experiment("dial=0.9", share=50)
    start_experiment(experiment=experiment)
    users = [make_user(f"user{number}") for number in range(40)]
    buckets = set(experiment.buckets.values_list("number", flat=True))
    assert len(buckets) == 50
    assert [served(user)[0] is not None for user in users] == [bucket_of(user.pk) in buckets for user in users]
    inside = next(user for user in users if bucket_of(user.pk) in buckets)
    inside.is_staff = True
    assert served(inside) == (None, 0.3)
    inside.is_staff = False
    Experiment.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    stop_experiment(experiment=experiment)
    assert served(inside) == (None, 0.3)


def test_an_experiment_costs_no_query(
    version: ModelVersion, listener_of: ListenerOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    user = make_user("before")
    with django_assert_num_queries(1):
        serving_for(user)
    experiment = make_experiment("dial=0.9 page.diversity=0.5")
    start_experiment(experiment=experiment)
    user = listener_of(experiment, 1)
    serving_for(user)
    with django_assert_num_queries(1):
        first = serving_for(user)
    second = serving_for(user)
    assert first is not None
    assert second is not None
    assert first.loaded is second.loaded


def test_a_cached_page_of_before_is_not_shown(
    version: ModelVersion, listener_of: ListenerOf, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    experiment = make_experiment("shelves=popular,made")
    user = listener_of(experiment, 1)
    before = current_page(user)
    assert before is not None
    assert cached_feed(user) is not None
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        start_experiment(experiment=experiment)
    assert cached_feed(user) is None
    during = current_page(user)
    assert during is not None
    assert [section.name for section in before.sections] == ["made", "new", "popular"]
    assert [section.name for section in during.sections] == ["popular", "made", "new"]
    assert cached_feed(user) is not None
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        stop_experiment(experiment=experiment)
    assert cached_feed(user) is None


def test_a_song_of_another_arm_is_not_put_on_the_page(
    version: ModelVersion, listener_of: ListenerOf, client: Client, tracks: list[Track]
) -> None:
    experiment = make_experiment("shelves=popular,made")
    user = listener_of(experiment, 1)
    client.force_login(user)
    page = client.get("/").context["sections"]
    # Started on another machine whose word has not come through the cache.
    start_experiment(experiment=experiment)
    song = page[0].items[0].track
    answer = client.post(f"/for-you/made/songs/{song.pk}/", {"value": 1}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert set(Recommendation.objects.filter(user=user).values_list("arm__number", flat=True)) == {None, 1}


def test_an_arm_can_have_a_version_of_its_own(
    version: ModelVersion, listener_of: ListenerOf, tracks: list[Track]
) -> None:
    rate(user=make_user("fan"), track=tracks[0], value=1)
    call_command("retrain", verbosity=0)
    newer = ModelVersion.objects.get(active_slot=True)
    assert newer != version
    experiment = make_experiment(f"version={version.pk}")
    start_experiment(experiment=experiment)
    assert list(ExperimentArm.objects.values_list("pinned_version", flat=True)) == [newer.pk, None]
    call_command("retrain", verbosity=0)
    latest = ModelVersion.objects.get(active_slot=True)
    pages = [serving_for(listener_of(experiment, number)) for number in (0, 1)]
    assert [page and page.loaded.version.pk for page in pages] == [newer.pk, version.pk]
    operator = serving_for(make_user("operator", is_staff=True))
    assert operator is not None
    assert operator.loaded.version == latest


def test_no_arm_is_counted_until_the_models_of_all_are_read(
    version: ModelVersion, listener_of: ListenerOf, tracks: list[Track], caplog: pytest.LogCaptureFixture
) -> None:
    rate(user=make_user("fan"), track=tracks[0], value=1)
    call_command("retrain", verbosity=0)
    experiment = make_experiment(f"version={version.pk}", "dial=0.9")
    start_experiment(experiment=experiment)
    users = [listener_of(experiment, number) for number in range(3)]
    away = model_path(version).rename(model_path(version).with_name("away"))
    with caplog.at_level(logging.ERROR, logger="recommender.lifecycle.loading"):
        assert [served(user) for user in users] == [(None, 0.3)] * 3
    assert f"model version {version.pk} can't be used" in caplog.text
    away.rename(model_path(version))
    control, first, second = experiment.arms.all()
    assert [served(user) for user in users] == [(control.pk, 0.3), (first.pk, 0.3), (second.pk, 0.9)]


def test_what_a_later_release_forbids_is_left_out_and_logged(
    version: ModelVersion, listener_of: ListenerOf, caplog: pytest.LogCaptureFixture
) -> None:
    experiment = make_experiment("dial=0.9 page.diversity=0.4")
    start_experiment(experiment=experiment)
    arm = experiment.arms.get(number=1)
    stored = {"page.diversity": 0.4, "page.gone": 1, "page.cooldown_days": 91, "page.skip_penalty": "much"}
    ExperimentArm.objects.filter(pk=arm.pk).update(overrides=stored, shelves=["made", "gone"])
    SiteServing.objects.update(token="changed", overrides={"page.gone": 1}, shelves=["gone"])
    assert served(listener_of(experiment, 1)) == (arm.pk, 0.9)
    arm.refresh_from_db()
    assert setting_of(arm).text == "dial=0.9 page.diversity=0.4"
    assert site_setting().text == ""
    assert {text.partition(": left out")[0] for text in caplog.messages} == {
        f"arm 'arm 1' of experiment {experiment.pk}",
        "the site's setting",
    }
    assert "page.cooldown_days: must be from 0 to 90, not 91." in caplog.text
    adopt_arm(arm=arm, note="More likes")
    assert site_setting().text == "dial=0.9 page.diversity=0.4"


def test_before_the_first_retrain_there_is_no_page() -> None:
    assert serving_for(make_user()) is None
    reset_site_setting()
    assert recommend_for_you(user=make_user("other")) is None
