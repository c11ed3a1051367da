"""The operator's pages and ``manage.py experiment``."""

import json
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO
from shutil import rmtree
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from catalog.models import Track
from recommender.experiments.services import start_experiment, stop_experiment
from recommender.experiments.settings import OVERRIDES
from recommender.lifecycle.versions import model_path
from recommender.models import Experiment, ExperimentEvent, ModelVersion
from recommender.tests.builders import make_user
from recommender.tests.experiments.conftest import make_experiment
from recommender.tests.experiments.test_services import any_version, with_listeners

pytestmark = pytest.mark.django_db
LIST = "/operator/experiments/"


@pytest.fixture
def operator(client: Client) -> User:
    user = make_user("operator", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def test_listeners_may_not_see_or_do_anything(client: Client) -> None:
    experiment = make_experiment("dial=0.5")
    client.force_login(make_user())
    assert [client.get(url).status_code for url in (LIST, f"{LIST}{experiment.pk}/")] == [403, 403]
    for name in ("start", "stop", "adopt"):
        assert client.post(f"{LIST}{experiment.pk}/{name}/", {"confirm": "on"}).status_code == 403
    assert client.post(f"{LIST}new/").status_code == 403


@pytest.mark.parametrize(
    ("referer", "after"),
    [
        (f"http://testserver{LIST}", f"http://testserver{LIST}"),
        ("https://elsewhere.example/", "/"),
        ("", "/"),
    ],
)
def test_a_form_sent_after_the_log_in_expired_leads_back_to_its_page(
    client: Client, db: None, referer: str, after: str
) -> None:
    answer = client.post(f"{LIST}new/", {"name": "A"}, headers={"Referer": referer} if referer else {})
    assert answer.status_code == 302
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [after]


def test_a_refused_form_says_where_and_can_be_read_in_another_language(client: Client, operator: User) -> None:
    values = {"name": "Bolder", "share": 80, "days": 14, "max_loss": 5, "first_name": "bold", "first": "dial=0.6"}
    refused = client.post(f"{LIST}new/", {**values, "second": "dial=0.1"})
    assert (refused.status_code, refused.context["form"].errors) == (400, {"second_name": ["This field is required."]})
    assert f'name="next" value="{LIST}"' in refused.content.decode()
    refused = client.post(f"{LIST}new/", {**values, "first": "page.max_per_artist=2.5"})
    assert "page.max_per_artist: must be a whole number, not 2.5." in refused.content.decode()
    page = f"{LIST}{make_experiment('dial=0.5').pk}/"
    refused = client.post(f"{page}adopt/", {"confirm": "on"})
    assert refused.status_code == 400
    assert f'name="next" value="{page}"' in refused.content.decode()


def test_from_the_form_to_what_is_adopted(client: Client, operator: User) -> None:
    any_version()
    values = {"name": "Bolder", "share": 80, "days": 14, "max_loss": 5, "first_name": "bold", "first": "dial=0.6"}
    answer = client.post(f"{LIST}new/", values, follow=True)
    assert "Created “Bolder”." in answer.content.decode()
    experiment = Experiment.objects.get()
    page = f"{LIST}{experiment.pk}/"
    assert client.get(f"{page}start/").status_code == 405
    assert "Tick the box to confirm." in client.post(f"{page}start/", follow=True).content.decode()
    assert "is now running" in client.post(f"{page}start/", {"confirm": "on"}, follow=True).content.decode()
    assert experiment.buckets.count() == 80
    bold = experiment.arms.get(name="bold")
    done = client.post(f"{page}adopt/", {"confirm": "on", "arm": bold.pk, "note": "Liked"}, follow=True)
    assert "Adopted “bold” for the whole site." in done.content.decode()
    assert "Results so far" not in done.content.decode()
    german = client.get(page, headers={"Accept-Language": "de"}).content.decode()
    assert "übernommen („bold“), operator. Liked" in german
    assert "dial=0.6" in client.get(LIST).content.decode()
    assert "Serve" in client.post(f"{LIST}reset/", {"confirm": "on"}, follow=True).content.decode()
    events = ExperimentEvent.objects.order_by("pk").values_list("action", "user")
    assert list(events) == [(action, operator.pk) for action in ("created", "started", "adopted")]
    assert client.post(f"{page}stop/", {"confirm": "on"}, follow=True).status_code == 200
    assert experiment.events.count() == 3


def test_what_was_entered_stays_where_adopting_is_not_confirmed(client: Client, operator: User) -> None:
    any_version()
    experiment = make_experiment("dial=0.5")
    start_experiment(experiment=experiment)
    arm = experiment.arms.get(number=1)
    url = reverse("recommender:experiment_adopt", args=[experiment.pk])
    answer = client.post(url, {"arm": arm.pk, "note": "More likes, as hoped"})
    assert answer.status_code == 400
    page = " ".join(answer.content.decode().split())
    assert 'value="More likes, as hoped"' in page
    assert f'<option value="{arm.pk}" selected>' in page
    assert '<p class="text-danger mb-0" id="adopt-confirm_error">Tick the box to confirm.</p>' in page
    assert page.count("text-danger mb-0") == 1
    assert page.index("adopt-arm") < page.index("adopt-note") < page.index("adopt-confirm")
    without_reason = client.post(url, {"arm": arm.pk, "confirm": "on"}).content.decode()
    assert 'id="adopt-note_error"' in without_reason
    assert 'id="adopt-confirm" checked' in without_reason
    assert experiment.events.filter(action=ExperimentEvent.Action.ADOPTED).count() == 0


def test_a_wrong_setting_is_named_beside_its_field(client: Client, operator: User) -> None:
    values = {"name": "Bolder", "share": 80, "days": 14, "max_loss": 5, "first_name": "bold", "first": "dial=6"}
    answer = client.post(f"{LIST}new/", values)
    assert answer.status_code == 400
    assert 'Name of the first arm<span class="asteriskField">*</span>' in answer.content.decode()
    assert "Name of the second arm</label>" in answer.content.decode()
    assert "dial: must be from 0 to 1, not 6.0." in answer.content.decode()
    assert not Experiment.objects.exists()


def test_the_page_says_what_is_known(client: Client, operator: User, tracks: list[Track]) -> None:
    version = any_version()
    experiment = make_experiment("dial=0.9", "dial=0.5")
    page = f"{LIST}{experiment.pk}/"
    start_experiment(experiment=experiment)
    empty = client.get(page).content.decode()
    assert "Results so far" in empty
    assert "“arm 1”: not enough to tell. Each arm needs at least 20 listeners." in empty
    assert "log-chart" not in empty
    # Nothing is known of an arm without pages, not even a range.
    assert "0.0 %" not in empty
    with_listeners(experiment, tracks, version, 4, 7, 4)
    cache.clear()
    shown = client.get(page)
    text = shown.content.decode()
    assert "log-chart" in text
    assert "“arm 1” earns more likes than the control, by 15.8 to 44.2 on 100 songs shown." in text
    assert "“arm 2” and the control: no difference found" in text
    rows = {row.name: [cell.verdict for cell in row.cells] for row in shown.context["rows"]}
    assert rows["Songs liked"] == ["", "better", ""]
    assert [row.is_control for row in shown.context["chart"].rows] == [True, False, False]


def test_an_arm_that_cannot_be_served_is_said(client: Client, operator: User, version: ModelVersion) -> None:
    call_command("retrain", verbosity=0, force=True)
    experiment = make_experiment(f"version={version.pk}", "dial=0.9")
    page = f"{LIST}{experiment.pk}/"
    folder = model_path(version)
    away = folder.with_name("away")
    start_experiment(experiment=experiment)

    def said(language: str = "en") -> str:
        cache.clear()
        return unescape(client.get(page, headers={"Accept-Language": language}).content.decode())

    def shown(*arguments: str) -> str:
        out = StringIO()
        call_command("experiment", "show", str(experiment.pk), *arguments, stdout=out)
        return out.getvalue()

    assert "alert-warning" not in said()
    assert json.loads(shown("--json"))["unusable"] == {}
    folder.rename(away)
    for text in (said(), shown()):
        assert f"“arm 1” can't be served, because version {version.pk} can't be used: {folder}" in text
        assert "“arm 2” can't be served" not in text
        assert "Until then nobody takes part." in text
    assert f"„arm 1“ kann nicht ausgeliefert werden, weil Version {version.pk}" in said("de")
    assert list(json.loads(shown("--json"))["unusable"]) == ["arm 1"]
    # Damaged is as bad as gone.
    away.rename(folder)
    array = max(folder.iterdir(), key=lambda file: file.stat().st_size)
    array.write_bytes(array.read_bytes()[:-8] + bytes(range(8)))
    assert "“arm 1” can't be served" in said()
    experiment.arms.filter(number=1).update(stopped_at=timezone.now())
    assert "alert-warning" not in said()
    experiment.arms.update(stopped_at=None)
    stop_experiment(experiment=experiment)
    assert "alert-warning" not in said()


def test_a_draft_says_that_its_version_has_no_files(client: Client, operator: User, version: ModelVersion) -> None:
    rmtree(model_path(version))
    experiment = make_experiment(f"version={version.pk}")
    text = unescape(client.get(f"{LIST}{experiment.pk}/").content.decode())
    assert "“arm 1” can't be served" in text
    assert "before you start" in text
    assert "nobody takes part" not in text


def test_the_number_of_queries_is_constant(client: Client, operator: User, tracks: list[Track]) -> None:
    def count(url: str) -> int:
        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    version = any_version()
    experiment = make_experiment("dial=0.9")
    start_experiment(experiment=experiment)
    page = f"{LIST}{experiment.pk}/"
    before = count(LIST), count(page)
    with_listeners(experiment, tracks, version, 4, 4)
    for number in range(30):
        make_experiment("dial=0.9", name=f"Other {number}")
    assert (count(LIST), count(page)) == before


def test_the_command_does_what_the_page_does() -> None:
    any_version()

    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("experiment", *arguments, stdout=out)
        return out.getvalue()

    made = json.loads(run("create", "Bolder", "--arm", "control", "--arm", "bold", "dial=0.6", "--json"))
    experiment = Experiment.objects.get()
    number = str(made["id"])
    assert made["arms"] == [{"name": "control", "changes": ""}, {"name": "bold", "changes": "dial=0.6"}]
    assert run("start", number) == f"Experiment {number} is now running.\n"
    assert "Bolder" in run("list")
    assert [row["status"] for row in json.loads(run("list", "--json"))] == ["running"]
    figures = json.loads(run("show", number, "--json"))["figures"]
    assert [arm["listeners"] for arm in figures["arms"]] == [0, 0]
    assert "not enough to tell" in run("show", number)
    Experiment.objects.update(started_at=experiment.created_at, ends_at=experiment.created_at + timedelta(days=300))
    assert run("stop", number) == f"Stopped experiment {number}.\n"
    experiment.refresh_from_db()
    assert experiment.stopped_at is not None
    assert experiment.ends_at is not None
    listed = run("list")
    assert f"{experiment.stopped_at:%Y-%m-%d}" in listed
    assert f"{experiment.ends_at:%Y-%m-%d}" not in listed
    with pytest.raises(CommandError, match="has no arm 'wild', but control, bold"):
        run("adopt", number, "wild", "--why", "no")
    assert run("adopt", number, "bold", "--why", "More likes") == "Adopted bold for the whole site.\n"
    assert run("reset") == "Everything is served as delivered again.\n"
    for arguments, why in (
        (("start", number), "is adopted"),
        (("show", "99"), "There is no experiment 99"),
        (("create", "Other", "--arm", "control", "--arm", "bold", "dial=6"), "dial: must be from 0 to 1"),
    ):
        with pytest.raises(CommandError, match=why):
            run(*arguments)


def test_the_commands_tell_the_days_of_the_site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    # As wide as the tables.
    monkeypatch.setenv("COLUMNS", "160")
    settings.TIME_ZONE = "Pacific/Kiritimati"
    version = any_version()
    experiment = make_experiment("dial=0.9")
    started = datetime(2026, 11, 1, 11, tzinfo=UTC)
    Experiment.objects.update(state="running", started_at=started, ends_at=started + timedelta(days=28))
    ModelVersion.objects.filter(pk=version.pk).update(created_at=started)
    listed, models = StringIO(), StringIO()
    call_command("experiment", "list", stdout=listed)
    call_command("models", "list", stdout=models)
    assert experiment.name in listed.getvalue()
    assert "2026-11-02" in listed.getvalue()
    assert "2026-11-02" in models.getvalue()


def test_brackets_in_names_are_no_markup() -> None:
    out = StringIO()
    call_command("experiment", "create", "A [/b]", "--arm", "control", "--arm", "x [/y]", "dial=0.6", stdout=out)
    call_command("experiment", "list", stdout=out)
    call_command("experiment", "show", str(Experiment.objects.get().pk), stdout=out)
    assert [out.getvalue().count(name) for name in ("A [/b]", "x [/y]")] == [2, 3]


def test_the_form_says_what_each_number_does(client: Client, operator: User) -> None:
    lines = client.get(LIST).context["limits"]
    assert [name for name, *_rest in lines] == list(OVERRIDES)
    assert lines[0] == ("page.max_per_artist", "1", "10", "songs of one artist on a page, at most")
    assert all(words for *_rest, words in lines)


def test_the_quality_page_leads_there(client: Client, operator: User) -> None:
    assert f'href="{reverse("recommender:experiments")}"' in client.get("/operator/quality/").content.decode()
