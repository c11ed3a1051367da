"""The attack log of tests/attacks.md, as far as tests can walk it."""

import re
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as site_settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from accounts.tokens.services import create_token
from catalog.models import Artist, Genre
from feedback.history_import.models import HistoryImport
from feedback.playlists.models import Playlist
from feedback.plays.models import Play
from feedback.preferences.models import Block, TasteExclusion
from feedback.queue.models import PlayQueue
from feedback.queue.services import play_all
from feedback.ratings.models import Rating
from feedback.tests.factories import PASSWORD, PlayFactory, RatingFactory, UserFactory, make_track
from jobs.models import Job
from recommender.models import ModelVersion, Recommendation

pytestmark = pytest.mark.django_db
JSON = "application/json"
SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "' OR '1'='1' --",
    "1; DROP TABLE accounts_user; --",
    "%' UNION SELECT password FROM accounts_user --",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "javascript:alert(1)",
    "{{ settings.SECRET_KEY }}{% debug %}",
    "\x00",
    "\ud7ff\uffff\U0010ffff",
    "-1",
    "99999999999999999999",
    "1e309",
    "NaN",
    "a" * 20_000,
    "\r\nSet-Cookie: stolen=1",
)


def routes() -> Iterator[str]:
    """Every route of the site but the administration's and files'."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            else:
                yield route

    yield from (route for route in walk(get_resolver().url_patterns, "") if not route.startswith("admin/"))


def address(route: str, value: str = "1") -> str:
    """Return the route as a path with ``value`` in its places."""
    path = re.sub(r"\(\?P<(?:kind)>([^|)]*)[^)]*\)", r"\1", route)
    path = re.sub(r"\(\?P<action>([^|)]*)[^)]*\)", r"\1", path)
    path = re.sub(r"\(\?P<\w+>[^)]*\)", value, path)
    path = re.sub(r"<uuid:\w+>", "6c84fb90-12c4-11e1-840d-7b25c5ee775a", path)
    path = re.sub(r"<slug:\w+>", "made-for-you", path)
    path = re.sub(r"<(?:\w+:)?\w+>", value, path)
    path = re.sub(r"\{\w+\}", value, path)
    return "/" + re.sub(r"[\^$\\?]|\[\^/\]\+", "", path)


ROUTES = sorted(set(routes()))
FOR_PLAYERS = ("1/", "2.0", "audioscrobbler/")
PAGES = [route for route in ROUTES if not route.startswith(("api/", "^api/", "recommend/", "static"))]


@pytest.fixture
def user() -> User:
    return UserFactory(username="ada", email="ada@example.org")


@pytest.fixture
def listener(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def test_the_walk_knows_the_site() -> None:
    assert len(PAGES) > 60
    assert {"profile/", "songs/<int:pk>/rate/", "accounts/login/", ""} <= set(PAGES)


# --- Log-in ----------------------------------------------------------------------------------------------------------


def test_brute_force_from_one_address_ends_soon(client: Client, user: User) -> None:
    tried = [client.post("/accounts/login/", {"login": f"user{n}", "password": "wrong"}) for n in range(40)]

    looked_at = [answer for answer in tried if answer.status_code == 200 and b"not correct" in answer.content]
    assert len(looked_at) <= 10
    assert tried[-1].status_code == 429


def test_brute_force_on_one_account_from_many_addresses_ends_soon(user: User) -> None:
    looked_at = 0
    for number in range(30):
        answer = Client(REMOTE_ADDR=f"198.51.100.{number}").post("/accounts/login/", {"login": "ada", "password": "no"})
        looked_at += b"not correct" in answer.content
    assert looked_at == 5
    last = Client(REMOTE_ADDR="203.0.113.9")
    last.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    assert "_auth_user_id" not in last.session


def test_a_session_from_before_the_log_in_is_worth_nothing_after_it(client: Client, user: User) -> None:
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = "x"
    session.save()
    planted = str(session.session_key)
    client.cookies["sessionid"] = planted

    client.post("/accounts/login/", {"login": "ada", "password": PASSWORD})

    assert client.session.session_key != planted
    assert "_auth_user_id" in client.session
    assert not Session.objects.filter(session_key=planted).exists()


def test_log_out_and_a_new_password_end_other_sessions(user: User) -> None:
    first, two = Client(), Client()
    for browser in (first, two):
        browser.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    stolen = two.cookies["sessionid"].value
    first.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "another good one", "password2": "another good one"},
    )
    assert two.get("/profile/").status_code == 302
    two.post("/accounts/logout/")
    thief = Client()
    thief.cookies["sessionid"] = stolen
    assert thief.get("/profile/").status_code == 302


def test_reset_letters_tell_nobody_who_has_an_account(client: Client, user: User, settings: Any) -> None:
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    known = client.post("/accounts/password/reset/", {"email": "ada@example.org"})
    unknown = client.post("/accounts/password/reset/", {"email": "eve@example.org"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


class CountingHasher(MD5PasswordHasher):
    """Tells how often a password was hashed, which is what an answer takes its time for."""

    algorithm = "md5"
    count = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.count += 1
        return super().encode(password, salt)


@pytest.mark.parametrize("what", ["log-in by name", "log-in by address", "sign-up"])
def test_the_time_an_answer_takes_tells_nobody_who_has_an_account(user: User, settings: Any, what: str) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)

    def hashed(email: str) -> int:
        CountingHasher.count = 0
        if what == "sign-up":
            form = {"username": f"new-{email[:3]}", "email": email, "password1": PASSWORD, "password2": PASSWORD}
            assert Client().post("/accounts/signup/", form)["Location"] == "/accounts/confirm-email/"
        else:
            login = email if "address" in what else email.split("@", maxsplit=1)[0]
            assert Client().post("/accounts/login/", {"login": login, "password": "wrong"}).status_code == 200
        return CountingHasher.count

    assert hashed("eve@example.org") == hashed("ada@example.org") > 0


# --- Cross-site ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", PAGES)
def test_no_form_is_taken_without_the_csrf_token(user: User, route: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)

    answer = client.post(address(route), {"x": "y"})
    if route.startswith(FOR_PLAYERS):
        # What players call answers to tokens alone: without one, a session is nobody. AudioScrobbler says so with 200.
        assert answer.content == b"BADSESSION\n" or answer.status_code in (400, 401, 404, 405)
    else:
        assert answer.status_code in (403, 404, 405)


def test_no_call_that_changes_something_is_taken_from_a_session_without_the_csrf_token(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    described = client.get("/api/openapi.json").json()
    tried = 0
    for path, operations in described["paths"].items():
        for method in set(operations) - {"get"}:
            if path in ("/api/auth/login", "/api/auth/register"):
                continue  # They need no session; another site is told by its headers: tests/test_api.py.
            answer = client.generic(method.upper(), re.sub(r"\{\w+\}", "1", path), "{}", content_type=JSON)
            assert answer.status_code == 403, (method, path)
            tried += 1
    assert tried >= 25


@pytest.mark.parametrize("path", ["/api/playback/next", "/api/playback/previous", "/api/playback/play/1"])
def test_another_sites_page_moves_no_player(listener: Client, path: str) -> None:
    make_track("Etude", id=1)

    assert listener.get(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert not PlayQueue.objects.exists()
    assert listener.get(path, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "https:evil.example"])
@pytest.mark.parametrize("route", PAGES)
def test_nobody_is_sent_elsewhere(listener: Client, route: str, target: str) -> None:
    path, names = address(route), ("next", "url", "redirect", "return_to", "back")
    for answer in (
        listener.get(path, dict.fromkeys(names, target)),
        listener.post(path, dict.fromkeys(names, target), headers={"Referer": target}),
    ):
        assert urlsplit(answer.headers.get("Location", "")).netloc in ("", "testserver")


# --- Hostile input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", PAGES)
def test_hostile_input_breaks_no_page_and_is_not_repeated_bare(listener: Client, route: str, settings: Any) -> None:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 0)
    settings.ACCOUNT_RATE_LIMITS = False
    path = address(route)
    shown = listener.get(path)
    names = [] if shown.streaming else re.findall(rb'name="([\w-]+)"', shown.content)
    fields = {"q", "page", "sort", "genre", "value", *(name.decode() for name in names)} - {"csrfmiddlewaretoken"}
    for value in HOSTILE:
        for answer in (
            listener.get(path, dict.fromkeys(fields, value)),
            listener.post(path, dict.fromkeys(fields, value)),
        ):
            assert answer.status_code < 500, (path, value)
            assert "Set-Cookie: stolen" not in str(answer.headers)
            if not answer.streaming and "html" in answer.get("Content-Type", ""):
                assert SCRIPT not in answer.content.decode()
                assert "<img src=x" not in answer.content.decode()
    assert User.objects.filter(username="ada").exists()


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:20])
def test_hostile_input_breaks_no_call(listener: Client, value: str) -> None:
    for path in ("/api/songs/search", "/api/songs", "/api/user/history", "/api/recommendations"):
        answer = listener.get(path, {"q": value, "cursor": value, "genre": value, "sort": value, "k": value})
        assert answer.status_code in (200, 422), (path, value)
    answer = listener.post("/api/playlists", {"name": value}, content_type=JSON)
    assert answer.status_code in (201, 400, 422)


def test_stored_script_stays_text_wherever_it_is_shown(listener: Client, user: User) -> None:
    evil = '"><script>alert(1)</script>'
    track = make_track(f"Song {evil}", artist=f"Artist {evil}", album=f"Album {evil}", genres=[f"genre {evil}"])
    RatingFactory(user=user, track=track)
    PlayFactory(user=user, track=track)
    Playlist.objects.create(owner=user, name=f"List {evil}")
    create_token(user=user, name=f"Token {evil}"[:60], scope="read")
    play_all(user=user, tracks=[track], origin=evil)
    listener.post("/accounts/reauthenticate/", {"password": PASSWORD})
    artist, genre = Artist.objects.get(), Genre.objects.get()
    seen = 0
    paths = [
        "/", "/songs/", "/search/?q=song", "/ratings/", "/history/", "/playlists/", "/profile/tokens/",
        "/player/queue/",
        f"/songs/{track.pk}/", f"/artists/{artist.pk}/", f"/genres/{genre.pk}/", "/genres/", "/start/",
        "/start/artists/", "/taste/",
    ]  # fmt: skip
    for path in paths:
        answer = listener.get(path)
        assert answer.status_code == 200, path
        assert b"<script>alert" not in answer.content, path
        seen += b"&lt;script&gt;alert" in answer.content
    assert seen >= 9


@pytest.mark.parametrize("trick", ["/static/../manage.py", "/static/%2e%2e/manage.py", "/static/..%2fmanage.py",
                                   "/static//etc/passwd", "/.env", "/.git/config", "/var/db.sqlite3"])  # fmt: skip
def test_path_tricks_find_nothing(client: Client, trick: str) -> None:
    assert client.get(trick).status_code in (400, 404)


def test_bodies_that_are_too_large_are_refused_before_they_are_read(listener: Client) -> None:
    for path in ("/profile/", "/api/feedback", "/accounts/login/"):
        answer = listener.generic("POST", path, b"x", content_type="text/plain", CONTENT_LENGTH="5000000000")
        assert answer.status_code == 413, path


UPLOADS = {"/history/import/": 200, "/api/user/history/imports": 200, "/admin/catalog/track/import/": 100}


@pytest.mark.parametrize("path", [*UPLOADS, "/accounts/login/", "/profile/", "/playlists/", "/api/feedback"])
def test_files_are_taken_only_where_there_is_a_field_for_them(client: Client, path: str, settings: Any) -> None:
    settings.MAX_HISTORY_UPLOAD_BYTES, settings.MAX_IMPORT_UPLOAD_BYTES = 200_000_000, 100_000_000
    megabytes = UPLOADS.get(path, 0)

    def code(size: int) -> int:
        content_type = "multipart/form-data; boundary=x"
        return client.generic("POST", path, b"x", content_type=content_type, CONTENT_LENGTH=str(size)).status_code

    if megabytes:
        # Nobody is logged in: the answer is known before the file is read.
        assert code(megabytes * 1_000_000 + 50_000) in (302, 401)
    assert code(megabytes * 1_000_000 + 3_000_000) == 413


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver:80@evil.example", ""])
def test_a_foreign_host_header_is_refused(client: Client, settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = client.get("/accounts/password/reset/", headers={"Host": host}, SERVER_NAME="evil.example")
    assert answer.status_code == 400


def test_headers_that_only_a_proxy_may_send_are_not_believed(client: Client, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = None
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/songs/", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 301
    assert answer["Location"] == "https://testserver/songs/"


def test_every_page_says_what_browsers_may_do(client: Client) -> None:
    answer = client.get("/songs/")
    policy = answer["Content-Security-Policy"]
    for word in ("unsafe-inline", "unsafe-eval", " *", "http:"):
        assert word not in policy
    for rule in ("object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


# --- Another's everything --------------------------------------------------------------------------------------------


def test_what_is_anothers_is_not_there(client: Client, user: User) -> None:
    other = UserFactory()
    track = make_track("Etude")
    play = PlayFactory(user=other, track=track)
    playlist = Playlist.objects.create(owner=other, name="Theirs")
    playlist.items.create(track=track, position=0)
    exclusion = TasteExclusion.objects.create(user=other, track=track)
    Block.objects.create(user=other, track=track)
    play_all(user=other, tracks=[track, make_track("Second")])
    item = PlayQueue.objects.get(user=other).items.last()
    assert item is not None
    history = HistoryImport.objects.create(user=other, name="theirs.json")
    version = ModelVersion.objects.create(directory="x")
    shown = Recommendation.objects.create(
        user=other, track=track, model_version=version, page=uuid4(), position=0, score=1.0, propensity=1.0
    )
    headers = {"Authorization": f"Bearer {create_token(user=user, name='x', scope='write')[1]}"}
    calls = [
        ("GET", f"/recommend/{other.pk}", None),
        ("DELETE", f"/api/user/history/{play.pk}", None),
        ("GET", f"/api/playlists/{playlist.pk}", None),
        ("GET", f"/api/playlists/{playlist.pk}/suggestions", None),
        ("PATCH", f"/api/playlists/{playlist.pk}", '{"name": "Mine"}'),
        ("DELETE", f"/api/playlists/{playlist.pk}", None),
        ("POST", f"/api/playlists/{playlist.pk}/songs", f'{{"songs": [{track.pk}]}}'),
        ("PUT", f"/api/playlists/{playlist.pk}/songs/{track.pk}", '{"place": 0}'),
        ("DELETE", f"/api/playlists/{playlist.pk}/songs/{track.pk}", None),
        ("DELETE", f"/api/user/taste/exclusions/{exclusion.pk}", None),
        ("DELETE", f"/api/user/blocks/track/{track.pk}", None),
        ("DELETE", f"/api/playback/queue/{item.pk}", None),
        ("PUT", f"/api/playback/queue/{item.pk}", '{"place": 0}'),
        ("POST", f"/api/playback/queue/{item.pk}/play", None),
        ("PUT", "/api/playback/queue", f'{{"source": "playlist", "source_id": {playlist.pk}}}'),
        ("GET", f"/api/playlists/{playlist.pk}/file", None),
        ("GET", f"/api/user/history/imports/{history.pk}", None),
        ("GET", f"/api/user/history/imports/{history.pk}/unmatched", None),
        *(
            ("POST", f"/api/user/history/imports/{history.pk}/{action}", None)
            for action in ("stop", "continue", "undo")
        ),
        ("GET", f"/api/recommendations/{shown.page}/songs/{track.pk}", None),
        ("POST", f"/api/recommendations/{shown.page}/songs/{track.pk}/wrong-reason", None),
    ]
    for method, path, body in calls:
        answer = client.generic(method, path, body or "", content_type=JSON, headers=headers)
        assert answer.status_code == 404, (method, path)
    described = client.get("/api/openapi.json").json()["paths"]
    owned = [
        path
        for path in described
        if re.search(r"\{(user|play|playlist|exclusion|item|target|import|page)(_id)?\}", path)
    ]
    covered = {re.sub(r"/(\d+|[0-9a-f-]{36}|track|undo)(?=/|$)", "/{}", path) for _method, path, _body in calls}
    assert {re.sub(r"/\{\w+\}", "/{}", path) for path in owned} <= covered
    assert Play.objects.filter(pk=play.pk).exists()
    assert Playlist.objects.get().name == "Theirs"
    assert not Rating.objects.exists()
    assert not Job.objects.exists()
    assert not Recommendation.objects.get().is_reason_wrong


def test_a_listener_is_no_operator(listener: Client) -> None:
    assert listener.get("/api/operator/models").status_code == 403
    assert listener.post("/api/operator/models/1/activate").status_code == 403
    assert listener.get("/operator/quality/").status_code == 403
    assert listener.get("/metrics").status_code == 404


# --- The source ------------------------------------------------------------------------------------------------------


def test_no_secret_is_in_the_repository() -> None:
    """Keys and tokens as services write them; what tests use is short or says what it is."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=site_settings.BASE_DIR, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git repository")
    secret = re.compile(
        r"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b"
        r"|\bxox[abpr]-[A-Za-z0-9-]{20,}|\bearworm_[A-Za-z0-9_-]{43}\b|\bAIza[A-Za-z0-9_-]{35}\b"
        r"|\b[a-z]+://[^\s/:@$'{]+:(?!password|letters)[^\s/@$'{]{6,}@[\w.-]+"
        r"|^(?:SECRET_KEY|SPOTIFY_CLIENT_SECRET|METRICS_TOKEN|SPOTIFY_TOKEN_KEYS)=\S+",
        re.MULTILINE,
    )
    findings = []
    for name in listed.stdout.decode().split("\0"):
        path = site_settings.BASE_DIR / name
        if name and path.is_file() and path.suffix not in (".png", ".csv", ".ico", ".wav"):
            findings += [f"{name}: {match[0][:20]}" for match in secret.finditer(path.read_text(errors="replace"))]
    assert findings == []


def test_nothing_is_fetched_from_an_address_that_somebody_typed() -> None:
    """Requests leave from the Spotify client alone, and it asks its configured hosts."""
    senders = re.compile(
        r"^\s*(?:import|from) .*(?:\b(?:requests|httpx|urllib3|aiohttp|http\.client)\b|urllib\.request)", re.MULTILINE
    )
    apps = ("accounts", "catalog", "feedback", "recommender", "jobs", "spotify_rec")
    findings = {
        str(path.relative_to(site_settings.BASE_DIR))
        for app in apps
        for path in (site_settings.BASE_DIR / app).rglob("*.py")
        if "tests" not in path.parts
        and re.search(rf"^\s*(?:import|from) .*(?:{senders.pattern})", path.read_text(), re.M)
    }
    assert {path for path in findings if not path.startswith("accounts/spotify/")} == set()
