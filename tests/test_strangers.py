"""What strangers tried from outside, and what each attempt costs them and the site: see attacks.md."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.files.base import ContentFile
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import ApiToken, User
from accounts.tokens.services import create_token
from feedback.history_import import services
from feedback.history_import.models import HistoryImport, upload_storage
from feedback.history_import.reading.source import History, HistoryError
from feedback.plays.models import Play
from feedback.tests.factories import PASSWORD, UserFactory, make_track
from jobs.models import Job
from spotify_rec.api import api

pytestmark = pytest.mark.django_db
JSON = "application/json"
MANY_KEYS = json.dumps({f"k{number}": 1 for number in range(120_000)})


def test_hundreds_of_wrong_values_get_a_short_answer(client: Client) -> None:
    unknown = json.dumps({"x" * 300 + str(number): 1 for number in range(150)})
    answer = client.post("/api/auth/login", unknown, content_type=JSON)

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 21
    # Of 150 unknown and two missing.
    assert answer.json()["errors"][-1] == {"field": "body", "message": "And 132 more."}
    assert len(answer.content) < 6_000


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/register", "/api/feedback", "/accounts/login/"])
def test_a_call_without_lists_takes_little(client: Client, path: str) -> None:
    answer = client.post(path, "{" + " " * 65_536 + "}", content_type=JSON)

    assert answer.status_code == 413
    assert len(answer.content) < 300


def test_a_call_with_lists_takes_no_endless_names(client: Client) -> None:
    client.force_login(UserFactory())
    answer = client.put("/api/playback/queue", MANY_KEYS, content_type=JSON)

    assert answer.status_code == 413
    assert len(answer.content) < 300


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/register"])
def test_past_the_limit_no_body_is_read(client: Client, path: str) -> None:
    statuses = [client.post(path, "{", content_type=JSON).status_code for _try in range(40)]

    # What is no JSON is refused when it is read; past the limit it is not.
    assert statuses[0] == 400
    assert statuses[-1] == 429
    assert set(statuses) == {400, 429}


def test_statistics_since_the_year_one_are_short(client: Client) -> None:
    user = UserFactory()
    track = make_track("Old")
    for moment in (datetime(1, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)):
        Play.objects.create(user=user, track=track, played_at=moment, ms_played=1000)
    client.force_login(user)

    answer = client.get("/api/user/statistics?period=all")

    assert answer.status_code == 200
    assert len(answer.content) < 80_000
    assert sum(span["plays"] for span in answer.json()["spans"]) == 2


CHANGING_GETS = ["/api/auth/logout", "/api/playback/next", "/api/playback/previous", "/api/playback/play/{song}"]


@pytest.mark.parametrize("path", CHANGING_GETS)
@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [("get", {}, 403), ("head", {}, 405), ("head", {"Sec-Fetch-Site": "same-origin"}, 405)],
)
def test_a_link_from_nowhere_changes_nothing(
    client: Client, path: str, method: str, headers: dict[str, str], status: int
) -> None:
    client.force_login(UserFactory())
    path = path.format(song=make_track("Song").pk)
    before = client.get("/api/playback").content

    answer = getattr(client, method)(path, headers=headers)

    assert answer.status_code == status
    assert client.get("/api/playback").content == before
    assert client.get("/api/user/profile").status_code == 200


@pytest.mark.parametrize("path", CHANGING_GETS)
def test_the_site_itself_may(client: Client, path: str) -> None:
    client.force_login(UserFactory())
    path = path.format(song=make_track("Song").pk)

    assert client.get(path, headers={"Referer": "http://testserver/"}).status_code in (200, 204)


def test_a_change_of_address_does_not_tell_who_has_an_account(
    client: Client, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    owner = UserFactory(username="owner", email="owner@example.org")
    pages: dict[str, Any] = {}
    for number, email in enumerate(("owner@example.org", "nobody@example.org")):
        user = User.objects.create_user(f"asker{number}", f"asker{number}@example.org", PASSWORD)
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        client.force_login(user)
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        answer = client.post("/accounts/email/", {"action_add": "", "email": email})
        page = client.get("/accounts/email/").content.decode()
        pages[email] = (answer.status_code, page.count(email), "already" in page)
    assert pages["owner@example.org"] == pages["nobody@example.org"]
    assert [letter.to for letter in mailoutbox] == [["owner@example.org"], ["nobody@example.org"]]
    assert "/accounts/confirm-email/" not in str(mailoutbox[0].body)
    owner.refresh_from_db()
    assert owner.email == "owner@example.org"


def test_guesses_by_name_and_by_address_count_together(client: Client) -> None:
    UserFactory(username="ada", email="ada@example.org")
    wrong, right = ({"password": password} for password in ("wrong-secret", PASSWORD))
    for name in ("ada", "ada@example.org", "ADA", "Ada@Example.org", "ada"):
        page = client.post("/accounts/login/", {"login": name, **wrong}).content.decode()
        assert "Too many failed" not in page

    for name in ("ada", "ada@example.org"):
        page = client.post("/accounts/login/", {"login": name, **right}).content.decode()
        assert "Too many failed attempts" in page


def begin(user: User) -> HistoryImport:
    return services.begin_import(user=user, upload=ContentFile(b"[]", name="history.json"), wants_own_songs=True)


def stop_all() -> None:
    Job.objects.update(state=Job.State.STOPPED)


@pytest.mark.django_db(transaction=True)
def test_of_many_stopped_uploads_one_is_kept(tmp_path: Any, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path
    user = UserFactory()
    for _upload in range(6):
        newest = begin(user)
        stop_all()

    _folders, names = upload_storage().listdir("")
    assert names == [newest.file.name]
    assert list(HistoryImport.objects.filter(finished_at=None)) == [newest]

    HistoryImport.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert services.delete_stray_uploads() == 1
    assert upload_storage().listdir("") == ([], [])


def test_no_upload_is_taken_below_the_floor(client: Client, tmp_path: Any, settings: Settings) -> None:
    settings.VAR_DIR, settings.MIN_FREE_DISK_MB = tmp_path, 10**9
    client.force_login(UserFactory())

    page = client.post("/history/import/", {"file": ContentFile(b"[]", name="a.json"), "wants_own_songs": "on"})
    upload = {"file": ContentFile(b"[]", name="a.json"), "wants_own_songs": "true"}
    call = client.post("/api/user/history/imports", upload)

    assert page.status_code == 422
    assert "no room for your file" in page.content.decode()
    assert call.status_code == 503
    assert not HistoryImport.objects.exists()


@pytest.mark.parametrize("members", [1, 40])
def test_a_zip_that_unpacks_to_far_more_is_refused(members: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(members):
            archive.writestr(f"StreamingHistory{number}.json", b'{"a": 1},' * (500_000 // members))

    with pytest.raises(HistoryError, match="far too large for a listening history"):
        History(packed, "history.zip")


def test_one_export_at_a_time(client: Client) -> None:
    client.force_login(UserFactory())
    first = client.get("/api/user/export")
    busy = client.get("/api/user/export.zip")
    assert (first.status_code, busy.status_code, busy["Retry-After"]) == (200, 429, "10")

    # Read to its end, it is closed.
    assert json.loads(first.getvalue())
    assert client.get("/api/user/export").status_code == 200


def test_the_description_is_made_once() -> None:
    assert api.get_openapi_schema() is api.get_openapi_schema()


@pytest.mark.parametrize("is_kept", [False, True])
def test_tokens_end_with_the_password(client: Client, is_kept: bool) -> None:
    user = UserFactory()
    _token, key = create_token(user=user, name="player", scope="read")
    client.force_login(user)
    new = "another staple for the horse"
    answers = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert "Keep my access tokens" in client.get("/accounts/password/change/").content.decode()
    assert (
        client.post("/accounts/password/change/", answers | ({"keep_tokens": "on"} if is_kept else {})).status_code
        == 302
    )

    status = Client().get("/api/user/profile", headers={"Authorization": f"Bearer {key}"}).status_code
    assert status == (200 if is_kept else 401)
    assert ApiToken.objects.filter(user=user).exists() is is_kept
