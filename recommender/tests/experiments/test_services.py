"""Starting, stopping, adopting, and what stops by itself."""

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from feedback.ratings.services import rate
from jobs.models import Job
from recommender.experiments.figures import figures_of
from recommender.experiments.jobs import EXPERIMENTS
from recommender.experiments.services import (
    ArmPlan,
    ExperimentError,
    adopt_arm,
    check_running,
    create_experiment,
    reset_site_setting,
    start_experiment,
    stop_experiment,
)
from recommender.experiments.serving import serving_for, site_setting
from recommender.experiments.settings import SettingError, read_setting
from recommender.lifecycle.versions import model_path, remove_old_files
from recommender.models import (
    Experiment,
    ExperimentArm,
    ExperimentBucket,
    ExperimentEvent,
    ModelVersion,
    Recommendation,
    SiteServing,
)
from recommender.tests.builders import make_user
from recommender.tests.experiments.conftest import make_experiment

pytestmark = pytest.mark.django_db


def any_version() -> ModelVersion:
    return ModelVersion.objects.create(
        directory=uuid.uuid4().hex, fingerprint="", state="active", active_slot=True, activated_at=timezone.now()
    )


def show(arm: ExperimentArm, user: User, tracks: Sequence[Track], *, likes: int, version: ModelVersion) -> None:
    page = uuid.uuid4()
    Recommendation.objects.bulk_create(
        Recommendation(
            user=user,
            track=track,
            model_version=version,
            page=page,
            position=position,
            score=1.0,
            policy="greedy",
            propensity=1.0,
            arm=arm,
        )
        for position, track in enumerate(tracks)
    )
    for track in tracks[:likes]:
        rate(user=user, track=track, value=1)


def with_listeners(experiment: Experiment, tracks: Sequence[Track], version: ModelVersion, *likes: int) -> None:
    """Show ten songs to 30 listeners of each arm, who like so many of them, one more or one less."""
    for arm, liked in zip(experiment.arms.all(), likes, strict=True):
        for number in range(30):
            user = make_user(f"{arm.number}.{number}")
            show(arm, user, tracks[:10], likes=liked + number % 3 - 1, version=version)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("dial=2", "dial: must be from 0 to 1, not 2.0."),
        ("dial=nan", "dial: must be a number, not nan."),
        ("page.max_per_artist=1.5", "page.max_per_artist: must be a whole number, not 1.5."),
        ("exploring.strength=11", "exploring.strength: must be from 0 to 10, not 11."),
        ("shelves=made,made", "shelves: must be of"),
        ("shelves=all", "shelves: must be of"),
        ("terms.audio=1", "terms.audio: can't be changed by an experiment."),
        ("dial", "dial: must be written as NAME=VALUE, each name once."),
        ("dial=0.1 dial=0.2", "dial=0.2: must be written as NAME=VALUE, each name once."),
        ("version=1.5", "version: must be a number, not 1.5."),
    ],
)
def test_a_setting_outside_the_list_is_refused(text: str, why: str) -> None:
    with pytest.raises(SettingError) as error:
        read_setting(text)
    assert str(error.value).startswith(why)


def test_a_setting_is_written_as_it_is_read() -> None:
    text = "version=3 dial=0.5 exploring.strength=2 page.diversity=0.3 shelves=new,made"
    assert read_setting(text).text == text
    assert read_setting("").text == ""


def test_an_experiment_has_two_or_three_arms_with_names() -> None:
    plan = ArmPlan("control", read_setting(""))
    for arms, why in (([plan], "2 or 3 arms"), ([plan] * 4, "2 or 3 arms"), ([plan, plan], "a name of its own")):
        with pytest.raises(ExperimentError, match=why):
            create_experiment(name="Few", arms=arms)
    with pytest.raises(ExperimentError, match="There is no version 77"):
        make_experiment("version=77")
    make_experiment("dial=0.5")
    with pytest.raises(ExperimentError, match="name"):
        make_experiment("dial=0.5")
    with pytest.raises(ExperimentError, match="share"):
        make_experiment("dial=0.5", name="Other", share=101)


def test_names_have_no_blanks_around_them_and_are_not_of_blanks_alone() -> None:
    nothing = read_setting("")
    for name, arm in ((" \n", "bold"), ("Bolder", "\t ")):
        with pytest.raises(ExperimentError, match="cannot be blank"):
            create_experiment(name=name, arms=[ArmPlan("control", nothing), ArmPlan(arm, nothing)])
    made = create_experiment(name=" Much\n bolder ", arms=[ArmPlan(" control", nothing), ArmPlan("bold ", nothing)])
    assert (made.name, [arm.name for arm in made.arms.all()]) == ("Much bolder", ["control", "bold"])
    assert not Experiment.objects.exclude(pk=made.pk).exists()


def test_two_experiments_share_the_listeners_out() -> None:
    any_version()
    first, second = make_experiment("dial=0.5", share=60), make_experiment("dial=0.7", name="Second", share=60)
    start_experiment(experiment=first)
    with pytest.raises(ExperimentError, match="have 60 % of the listeners, so at most 40 % are left"):
        start_experiment(experiment=second)
    Experiment.objects.filter(pk=second.pk).update(share=40)
    start_experiment(experiment=second)
    assert ExperimentBucket.objects.values("number").distinct().count() == 100
    with pytest.raises(ExperimentError, match="“Second” is running"):
        start_experiment(experiment=second)
    stop_experiment(experiment=first)
    assert ExperimentBucket.objects.count() == 40
    with pytest.raises(IntegrityError), transaction.atomic():
        ExperimentBucket.objects.create(experiment=first, number=second.buckets.first().number)  # type: ignore[union-attr]


def test_it_needs_a_model_and_the_files_of_its_versions() -> None:
    with pytest.raises(ExperimentError, match="No version is active yet"):
        start_experiment(experiment=make_experiment("dial=0.5"))
    version = any_version()
    with pytest.raises(ExperimentError, match=f"version {version.pk} aren't on this machine. Copy its folder to"):
        start_experiment(experiment=make_experiment(f"version={version.pk}", name="Other"))


def test_figures_of_each_arm(tracks: list[Track]) -> None:
    version = any_version()
    experiment = make_experiment("dial=0.5")
    start_experiment(experiment=experiment)
    control, arm = experiment.arms.all()
    user, operator = make_user("one"), make_user("operator", is_staff=True)
    show(arm, user, tracks[:4], likes=1, version=version)
    show(arm, user, tracks[2:6], likes=0, version=version)
    show(arm, operator, tracks[:9], likes=9, version=version)
    for track, outcome in ((tracks[0], "completed"), (tracks[1], "skipped"), (tracks[5], "skipped")):
        Play.objects.create(user=user, track=track, outcome=outcome, played_at=timezone.now())
    figures = figures_of(experiment).arms[1]
    assert (figures.listeners, figures.pages, figures.songs, figures.different_songs) == (1, 2, 8, 6)
    rates = {name: round(result.interval.mean, 3) for name, result in figures.rates.items()}
    assert rates == {"likes": 0.125, "completions": 0.125, "skips": 0.25, "different": 0.75, "pages": 2.0}
    assert not figures.differences["likes"].is_enough
    assert figures_of(experiment).arms[0].arm == control


def test_a_page_stays_one_when_songs_of_it_are_deleted(tracks: list[Track]) -> None:
    version = any_version()
    experiment = make_experiment("dial=0.5")
    arm = experiment.arms.get(number=1)
    show(arm, make_user("one"), tracks[:4], likes=0, version=version)
    show(arm, make_user("two"), tracks[4:5], likes=0, version=version)
    Track.objects.filter(pk__in=[tracks[0].pk, tracks[1].pk]).delete()
    figures = figures_of(experiment).arms[1]
    assert (figures.listeners, figures.pages, figures.songs) == (2, 1, 3)


def test_an_arm_that_loses_too_much_is_stopped_by_the_job(tracks: list[Track]) -> None:
    version = any_version()
    experiment = make_experiment("dial=0.9", "dial=0.5")
    start_experiment(experiment=experiment)
    with_listeners(experiment, tracks, version, 6, 1, 6)
    run = type("Run", (), {"job": Job(kind="experiments")})()
    assert EXPERIMENTS.handler(run) == "stopped arm arm 1 of Bolder, which loses more than 10 % of the likes"
    assert [arm.stopped_at is None for arm in experiment.arms.all()] == [True, False, True]
    assert EXPERIMENTS.handler(run) == "nothing to stop"
    event = ExperimentEvent.objects.get(action="arm-stopped")
    assert event.arm is not None
    assert (event.arm.number, event.user, event.figures["arms"][1]["percent"]) == (1, None, 10.0)
    assert event.note == "The like rate is certainly below 90 % of the control's."


def test_without_another_arm_the_experiment_ends(tracks: list[Track]) -> None:
    version = any_version()
    experiment = make_experiment("dial=0.9")
    start_experiment(experiment=experiment)
    with_listeners(experiment, tracks, version, 6, 1)
    assert len(check_running()) == 2
    experiment.refresh_from_db()
    assert experiment.state == "stopped"
    assert not ExperimentBucket.objects.exists()


def test_an_arm_no_worse_goes_on_until_its_time_is_over(tracks: list[Track]) -> None:
    version = any_version()
    experiment = make_experiment("dial=0.9")
    start_experiment(experiment=experiment)
    with_listeners(experiment, tracks, version, 4, 4)
    assert check_running() == []
    assert check_running(timezone.now() + timedelta(days=29)) == ["stopped Bolder"]
    assert ExperimentEvent.objects.get(action="stopped").note == "Its time was over."


def test_listeners_of_a_stopped_arm_get_the_control_and_are_not_counted(
    version: ModelVersion, listener_of: Callable[[Experiment, int], User]
) -> None:
    experiment = make_experiment("dial=0.9", "dial=0.5")
    start_experiment(experiment=experiment)
    user = listener_of(experiment, 1)
    serving = serving_for(user)
    assert serving is not None
    assert serving.adventure == 0.9
    ExperimentArm.objects.filter(number=1).update(stopped_at=timezone.now())
    SiteServing.objects.update(token="changed")
    serving = serving_for(user)
    assert serving is not None
    assert (serving.adventure, serving.arm_id) == (0.3, None)


def test_what_is_adopted_becomes_the_site_s_own_and_stays_in_the_log(
    version: ModelVersion, listener_of: Callable[[Experiment, int], User]
) -> None:
    operator = make_user("operator", is_staff=True)
    experiment = make_experiment("dial=0.6 page.diversity=0.4 shelves=new,made")
    start_experiment(experiment=experiment)
    arm = experiment.arms.get(number=1)
    with pytest.raises(ExperimentError, match="Say why"):
        adopt_arm(arm=arm, user=operator, note=" ")
    adopt_arm(arm=arm, user=operator, note="More likes")
    assert site_setting().text == "dial=0.6 page.diversity=0.4 shelves=new,made"
    event = ExperimentEvent.objects.get(action="adopted")
    assert (event.user, event.arm, event.note, len(event.figures["arms"])) == (operator, arm, "More likes", 2)
    serving = serving_for(operator)
    assert serving is not None
    assert (serving.adventure, serving.arm_id, serving.loaded.model.config.page.diversity) == (0.6, None, 0.4)
    with pytest.raises(ExperimentError, match="“Bolder” is adopted"):
        adopt_arm(arm=arm, user=operator, note="Again")
    later = make_experiment("page.diversity=0.1", name="Later")
    start_experiment(experiment=later)
    of_arm = serving_for(listener_of(later, 1))
    assert of_arm is not None
    assert (of_arm.adventure, of_arm.loaded.model.config.page.diversity) == (0.6, 0.1)
    reset_site_setting()
    assert site_setting().text == ""


def test_a_refused_adoption_activates_nothing(version: ModelVersion, tracks: list[Track]) -> None:
    rate(user=make_user("fan"), track=tracks[0], value=1)
    call_command("retrain", verbosity=0)
    active = ModelVersion.objects.get(active_slot=True)
    draft = make_experiment(f"version={version.pk}")
    assert active != version
    with pytest.raises(ExperimentError, match="is not started"):
        adopt_arm(arm=draft.arms.get(number=1), note="Too early")
    assert ModelVersion.objects.get(active_slot=True) == active


def test_adopting_a_version_activates_it(version: ModelVersion, tracks: list[Track]) -> None:
    rate(user=make_user("fan"), track=tracks[0], value=1)
    call_command("retrain", verbosity=0)
    experiment = make_experiment(f"version={version.pk}")
    assert remove_old_files(keep=1) == []
    start_experiment(experiment=experiment)
    adopt_arm(arm=experiment.arms.get(number=1), note="It was better")
    version.refresh_from_db()
    assert version.active_slot is True
    assert model_path(version).is_dir()
    assert Experiment.objects.get().state == "adopted"
