"""The API as a whole: who gets in, how errors read, how lists are paged, how often one may call."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, User
from accounts.tokens.services import create_token
from catalog.models import Track
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.tests.factories import PASSWORD, PlayFactory, RatingFactory, UserFactory, make_track
from recommender.tests.builders import make_catalogue
from spotify_rec.operation_ids import OPERATION_IDS

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def user() -> User:
    return UserFactory(username="ada", email="ada@example.org")


@pytest.fixture
def listener(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def bearer(user: User, scope: str = "write") -> dict[str, str]:
    return {"Authorization": f"Bearer {create_token(user=user, name='script', scope=scope)[1]}"}


def problem_of(answer: Any) -> dict[str, Any]:
    assert answer["Content-Type"] == "application/problem+json"
    content: dict[str, Any] = answer.json()
    assert content["status"] == answer.status_code
    assert content["type"] == "about:blank"
    return content


# --- Who gets in -----------------------------------------------------------------------------------------------------


def test_visitors_are_asked_to_log_in(client: Client) -> None:
    answer = client.get("/api/user/profile")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert problem_of(answer)["title"] == "Unauthorized"


def test_a_session_reads_without_and_writes_with_the_csrf_token(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    body = {"region": "SE", "explicit_allowed": False, "adventure": 0.5}

    assert client.get("/api/user/profile").json()["username"] == "ada"
    refused = client.put("/api/user/profile", body, content_type=JSON)
    assert refused.status_code == 403
    assert "CSRF" in problem_of(refused)["detail"]
    token = "t" * 32
    client.cookies["csrftoken"] = token
    answer = client.put("/api/user/profile", body, content_type=JSON, headers={"X-CSRFToken": token})
    assert answer.status_code == 200
    assert (answer.json()["region"], answer.json()["explicit_allowed"], answer.json()["adventure"]) == (
        "SE",
        False,
        0.5,
    )


def test_a_token_needs_no_csrf_token_and_does_what_its_scope_says(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    body = {
        "region": "SE",
        "explicit_allowed": True,
        "adventure": 0.5,
        "recordings_only": True,
        "unheard_only": True,
    }
    reads, writes = bearer(user, "read"), bearer(user)

    assert client.get("/api/user/profile", headers=reads).json()["id"] == user.pk
    refused = client.put("/api/user/profile", body, content_type=JSON, headers=reads)
    assert refused.status_code == 403
    assert problem_of(refused)["detail"] == "This access token is read-only."
    assert client.put("/api/user/profile", body, content_type=JSON, headers=writes).json()["recordings_only"] is True
    del body["recordings_only"], body["unheard_only"]
    profile = client.put("/api/user/profile", body, content_type=JSON, headers=writes).json()
    assert (profile["recordings_only"], profile["unheard_only"]) == (True, True)
    assert not client.cookies


def test_a_wrong_token_is_refused_even_beside_a_session(listener: Client, user: User) -> None:
    good = bearer(user)["Authorization"]
    wrong = ["Bearer earworm_nothing", "Bearer", "Basic YTpi", good[:-1], good.replace("earworm_", ""), "Bearer \x7f"]
    for header in wrong:
        assert listener.get("/api/songs", headers={"Authorization": header}).status_code == 401, header


def test_a_revoked_token_and_that_of_a_closed_account_open_nothing(client: Client, user: User) -> None:
    revoked, closed = bearer(user), bearer(user)
    ApiToken.objects.order_by("pk")[0].delete()

    assert client.get("/api/user/profile", headers=revoked).status_code == 401
    assert client.get("/api/user/profile", headers=closed).status_code == 200
    User.objects.update(is_active=False)
    assert client.get("/api/user/profile", headers=closed).status_code == 401


def test_the_key_of_a_token_is_not_kept(user: User) -> None:
    key = bearer(user)["Authorization"].split()[1]

    row = ApiToken.objects.values_list().get()
    assert key.startswith("earworm_")
    assert key not in str(row)
    assert key.removeprefix("earworm_") not in str(row)


def test_a_token_deletes_no_account(client: Client, user: User) -> None:
    answer = client.delete("/api/user", {"password": PASSWORD}, content_type=JSON, headers=bearer(user))

    assert answer.status_code == 401
    assert User.objects.filter(pk=user.pk).exists()


def test_a_profile_without_a_time_zone_keeps_it(listener: Client, user: User) -> None:
    User.objects.filter(pk=user.pk).update(time_zone="Europe/Berlin")
    body: dict[str, Any] = {"region": "SE", "explicit_allowed": False, "adventure": 0.5}
    sent = [body, {**body, "time_zone": None}, {**body, "time_zone": "Asia/Tokyo"}, {**body, "time_zone": ""}]

    answers = [listener.put("/api/user/profile", values, content_type=JSON).json() for values in sent]

    assert [answer["time_zone"] for answer in answers] == ["Europe/Berlin", "Europe/Berlin", "Asia/Tokyo", ""]
    refused = listener.put("/api/user/profile", {**body, "time_zone": "Mars/Olympus"}, content_type=JSON)
    assert [error["field"] for error in problem_of(refused)["errors"]] == ["body.time_zone"]


# --- How errors read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/nothing", 404),
        ("get", "/api/songs/999", 404),
        ("get", "/api/songs/0", 422),
        ("get", f"/api/songs/{2**63}", 422),
        ("get", "/api/songs/abc", 422),
        ("get", "/api/songs?size=101", 422),
        ("get", "/api/songs?cursor=WzFd", 422),
        ("get", "/api/songs/search", 422),
        ("delete", "/api/songs", 405),
        ("patch", "/api/user/profile", 405),
        ("post", "/api/", 404),
    ],
)
def test_errors_are_problem_details(listener: Client, method: str, path: str, status: int) -> None:
    answer = getattr(listener, method)(path)

    assert answer.status_code == status
    assert problem_of(answer)["title"]
    assert ("Allow" in answer) is (status == 405)


def test_a_bad_value_is_named(listener: Client) -> None:
    answer = listener.put("/api/user/profile", {"region": "SE", "adventure": 2, "x": 1}, content_type=JSON)

    assert [error["field"] for error in problem_of(answer)["errors"]] == [
        "body.explicit_allowed",
        "body.adventure",
        "body.x",
    ]


def test_what_the_form_refuses_is_named(listener: Client) -> None:
    body = {"region": "XX", "explicit_allowed": True, "adventure": 0.5}

    answer = listener.put("/api/user/profile", body, content_type=JSON)

    assert [error["field"] for error in problem_of(answer)["errors"]] == ["body.region"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", JSON, 400),
        ('{"song_id": NaN}', JSON, 400),
        ('{"song_id": 1, "value": "\\u0000"}', JSON, 400),
        ('{"song_id": 1, "value": "\\ud800"}', JSON, 400),
        (b"\xff\xfe", JSON, 400),
        ("[" * 60_000, JSON, 400),
        ('{"song_id": 1, "value": "like"}', "text/plain", 415),
        ("song_id=1", "application/x-www-form-urlencoded", 415),
        ("[]", JSON, 422),
        ("", JSON, 422),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bodies_are_json(listener: Client, body: str | bytes, content_type: str, status: int) -> None:
    answer = listener.generic("POST", "/api/feedback", body, content_type=content_type)

    assert answer.status_code == status
    problem_of(answer)


def test_a_body_that_is_too_large_is_not_read(listener: Client) -> None:
    answer = listener.generic("POST", "/api/feedback", b" " * 2_621_441, content_type=JSON)

    assert answer.status_code == 413
    problem_of(answer)


def test_a_failure_here_tells_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_query: str) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("catalog.api.search", fail)
    client.raise_request_exception = False

    answer = client.get("/api/songs/search?q=x")

    assert answer.status_code == 500
    assert "secret" not in answer.content.decode()
    problem_of(answer)


# --- HEAD, caches ----------------------------------------------------------------------------------------------------


def test_head_is_get_without_the_body(client: Client) -> None:
    make_track("Etude")

    got, head = client.get("/api/songs"), client.head("/api/songs")

    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == str(len(got.content))


def test_a_song_that_did_not_change_is_not_sent_again(client: Client) -> None:
    track = make_track("Etude")
    first = client.get(f"/api/songs/{track.pk}")

    again = client.get(f"/api/songs/{track.pk}", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Track.objects.update(popularity=7)
    changed = client.get(f"/api/songs/{track.pk}", headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_what_is_personal_is_kept_nowhere(listener: Client) -> None:
    assert listener.get("/api/user/profile")["Cache-Control"] == "no-store"


# --- Account ---------------------------------------------------------------------------------------------------------


def test_register_log_out_log_in(client: Client) -> None:
    body = {"username": "Grace", "email": "grace@example.org", "password": "three blind mice", "region": "SE"}

    made = client.post("/api/auth/register", body, content_type=JSON)
    assert made.status_code == 201
    assert made.json()["is_logged_in"] is True
    assert client.get("/api/user/profile").json()["region"] == "SE"
    assert client.get("/api/auth/logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 204
    assert client.get("/api/user/profile").status_code == 401
    login = {"login": "grace@example.org", "password": "three blind mice"}
    entered = client.post("/api/auth/login", login, content_type=JSON)
    assert entered.status_code == 200
    assert client.get("/api/user/profile").json()["username"] == "grace"
    real = Client(enforce_csrf_checks=True)
    real.cookies = client.cookies
    headers = {"X-CSRFToken": entered.json()["csrf_token"]}
    assert real.post("/api/auth/logout", headers=headers).status_code == 204
    assert real.get("/api/user/profile").status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "ada"}, "body.username"),
        ({"username": "a@b"}, "body.username"),
        ({"email": "ada@example.org"}, "body.email"),
        ({"email": "nothing"}, "body.email"),
        ({"password": "12345678"}, "body.password"),
        ({"region": "XX"}, "body.region"),
    ],
)
def test_register_refuses_what_the_page_refuses(client: Client, user: User, change: dict[str, str], field: str) -> None:
    body = {"username": "grace", "email": "grace@example.org", "password": "three blind mice", **change}

    answer = client.post("/api/auth/register", body, content_type=JSON)

    assert answer.status_code == 422
    assert {error["field"] for error in problem_of(answer)["errors"]} == {field}
    assert User.objects.count() == 1


def test_wrong_passwords_are_refused_alike_and_soon_not_even_looked_at(client: Client, user: User) -> None:
    def log_in(login: str, password: str) -> Any:
        return client.post("/api/auth/login", {"login": login, "password": password}, content_type=JSON)

    wrong, unknown = log_in("ada", "wrong"), log_in("nobody", "wrong")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    for _ in range(4):
        log_in("ada", "wrong")
    refused = log_in("ada", PASSWORD)
    assert refused.status_code == 429
    assert refused["Retry-After"] == "300"
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Referer": "https://evil.example/page"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Sec-Fetch-Site": "none"}, 204),
        ({"Origin": "http://testserver"}, 204),
        ({}, 403),
    ],
)
def test_another_site_logs_nobody_out(listener: Client, headers: dict[str, str], status: int) -> None:
    assert listener.get("/api/auth/logout", headers=headers).status_code == status
    assert ("_auth_user_id" in listener.session) is (status == 403)


def test_another_site_logs_nobody_in(client: Client, user: User) -> None:
    body = {"login": "ada", "password": PASSWORD}

    answer = client.post("/api/auth/login", body, content_type=JSON, headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert "_auth_user_id" not in client.session


def test_the_account_goes_with_its_password_alone(listener: Client, user: User) -> None:
    assert listener.delete("/api/user", {"password": "wrong"}, content_type=JSON).status_code == 401
    assert User.objects.filter(pk=user.pk).exists()
    assert listener.delete("/api/user", {"password": PASSWORD}, content_type=JSON).status_code == 204
    assert not User.objects.exists()
    assert listener.get("/api/user/profile").status_code == 401


# --- Songs, feedback, history ----------------------------------------------------------------------------------------


def pages(client: Client, path: str) -> list[list[Any]]:
    answer = client.get(path, {"size": 3}).json()
    listed = [answer["items"]]
    while answer["next"]:
        answer = client.get(path, {"size": 3, "cursor": answer["next"]}).json()
        listed.append(answer["items"])
    return listed


@pytest.mark.parametrize("sort", ["popularity", "title", "newest"])
def test_songs_come_in_pages_each_once(client: Client, sort: str) -> None:
    make_catalogue()

    listed = pages(client, f"/api/songs?sort={sort}")

    ids = [song["id"] for page in listed for song in page]
    assert [len(page) for page in listed] == [3] * 13 + [1]
    assert sorted(ids) == sorted(Track.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)  # a full-text index sees what is committed
def test_search_finds_songs_artists_and_genres(client: Client) -> None:
    make_catalogue()

    answer = client.get("/api/songs/search?q=artist 3").json()

    assert {song["title"] for song in answer["items"][:4]} == {f"Song 3.{number}" for number in range(4)}
    assert [artist["name"] for artist in answer["artists"]] == ["Artist 3"]
    assert answer["next"] is None


def test_a_song_is_told_whole(client: Client) -> None:
    track = make_track("Étude", artist="Chopin", genres=["piano"], features={"energy": 0.1}, spotify_id="0" * 22)

    song = client.get(f"/api/songs/{track.pk}").json()

    assert song["title"] == "Étude"
    assert [artist["name"] for artist in song["artists"]] == ["Chopin"]
    assert [genre["name"] for genre in song["genres"]] == ["piano"]
    assert song["features"] == {"energy": 0.1}
    assert song["spotify_id"] == "0" * 22


def test_hidden_songs_are_nowhere(listener: Client, user: User) -> None:
    track = make_track("Hidden", is_active=False)
    RatingFactory(user=user, track=track)

    for path in (f"/api/songs/{track.pk}", f"/api/songs/{track.pk}/similar", f"/api/feedback/{track.pk}"):
        assert listener.get(path).status_code == 404
    assert listener.get("/api/songs").json()["items"] == []
    assert listener.get("/api/user/preferences").json()["likes"] == []
    body = {"song_id": track.pk, "value": "like"}
    assert listener.post("/api/feedback", body, content_type=JSON).status_code == 404


def test_feedback_is_given_read_and_cleared(listener: Client, user: User) -> None:
    track = make_track("Etude")
    for value, stored in (("like", "like"), ("dislike", "dislike"), ("clear", None)):
        answer = listener.post("/api/feedback", {"song_id": track.pk, "value": value}, content_type=JSON)
        assert answer.json() == {"song_id": track.pk, "value": stored}
        assert listener.get(f"/api/feedback/{track.pk}").json()["value"] == stored
    assert not Rating.objects.exists()


def test_feedback_sent_twice_with_one_key_counts_once(listener: Client, user: User) -> None:
    track = make_track("Etude")

    def send(value: str, key: str) -> Any:
        body = {"song_id": track.pk, "value": value}
        return listener.post("/api/feedback", body, content_type=JSON, headers={"Idempotency-Key": key})

    first = send("like", "a")
    assert send("dislike", "b").json()["value"] == "dislike"
    assert send("like", "a").json() == first.json()
    assert Rating.objects.get().value == -1
    assert send("clear", "a").status_code == 422
    assert send("like", "k" * 201).status_code == 422


def test_a_key_is_the_listeners_own(client: Client, user: User) -> None:
    track, other = make_track("Etude"), UserFactory()
    body = {"song_id": track.pk, "value": "like"}
    for person in (user, other):
        headers = {**bearer(person), "Idempotency-Key": "a"}
        assert client.post("/api/feedback", body, content_type=JSON, headers=headers).status_code == 200
    assert Rating.objects.count() == 2


def test_ratings_and_history_come_in_pages(listener: Client, user: User) -> None:
    for number in range(7):
        track = make_track(f"Song {number}")
        RatingFactory(user=user, track=track)
        PlayFactory(user=user, track=track)
    RatingFactory(user=UserFactory(), track=track)

    for path, key in (("/api/user/ratings", "updated_at"), ("/api/user/history", "played_at")):
        listed = pages(listener, path)
        assert [len(page) for page in listed] == [3, 3, 1]
        rows = [row for page in listed for row in page]
        assert len({row["song"]["id"] for row in rows}) == 7
        assert [row[key] for row in rows] == sorted((row[key] for row in rows), reverse=True)


def test_a_play_is_noted_once_removed_and_put_back(listener: Client, user: User) -> None:
    track = make_track("Etude")
    body = {"song_id": track.pk, "token": "6c84fb90-12c4-11e1-840d-7b25c5ee775a"}
    first = listener.post("/api/user/history", body, content_type=JSON)
    assert first.status_code == 201
    assert listener.post("/api/user/history", body, content_type=JSON).json() == first.json()

    undo = listener.delete(f"/api/user/history/{first.json()['id']}").json()
    assert not Play.objects.exists()
    restored = listener.post("/api/user/history/restore", undo, content_type=JSON)
    assert restored.status_code == 200, restored.content
    assert restored.json()["played_at"] == first.json()["played_at"]
    assert listener.post("/api/user/history/restore", {"undo": "x"}, content_type=JSON).status_code == 404


def test_preferences_are_said_and_read(listener: Client, user: User) -> None:
    track = make_track("Etude", artist="Chopin", genres=["piano"])
    genre, artist = track.genres.get(), track.credits.get().artist
    RatingFactory(user=user, track=track)

    body = {"genres": [genre.pk, 999], "artists": [artist.pk]}
    answer = listener.put("/api/user/preferences", body, content_type=JSON).json()

    unknown = {"unknown_genres": [999], "unknown_artists": []}
    assert answer == {**listener.get("/api/user/preferences").json(), **unknown}
    assert answer["genres"] == [{"id": genre.pk, "name": "piano"}]
    assert answer["artists"] == [{"id": artist.pk, "name": "Chopin"}]
    assert [song["id"] for song in answer["likes"]] == [track.pk]
    assert (answer["like_count"], answer["dislike_count"]) == (1, 0)
    assert listener.put("/api/user/preferences", {"genres": [-1], "artists": []}, content_type=JSON).status_code == 422


def test_what_stands_for_several_artists_is_no_preference(listener: Client, user: User) -> None:
    compiler = make_track("Etude", artist="Varios artistas").credits.get().artist
    reason = "“Varios artistas” stands for many artists, so it says nothing about your taste."
    for path, body in (
        ("/api/user/preferences", {"genres": [], "artists": [compiler.pk]}),
        ("/api/user/taste/lines", {"kind": "artist", "id": str(compiler.pk), "level": "up"}),
    ):
        answer = listener.put(path, body, content_type=JSON)
        assert answer.status_code == 422
        assert reason in answer.content.decode()
    assert listener.get("/api/user/preferences").json()["artists"] == []


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("path", "queries"),
    [("/api/songs", 7), ("/api/user/ratings", 8), ("/api/user/history", 8)],
)
def test_lists_have_a_constant_number_of_queries(
    listener: Client, user: User, django_assert_num_queries: Any, path: str, queries: int, rows: int
) -> None:
    for number in range(rows):
        track = make_track(f"Song {number}", artist=f"Artist {number}", genres=["pop"])
        RatingFactory(user=user, track=track)
        PlayFactory(user=user, track=track)
    listener.get(path)

    with django_assert_num_queries(queries):
        assert len(listener.get(path).json()["items"]) == rows


# --- How often -------------------------------------------------------------------------------------------------------


def test_calls_are_limited_per_listener_and_address(client: Client, user: User, settings: Any) -> None:
    settings.RATE_LIMITS = {"api": 3, "search": 2, "feedback": 2}
    mine, others = bearer(user), bearer(UserFactory())

    codes = [client.get("/api/user/profile", headers=mine).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    refused = client.get("/api/user/profile", headers=mine)
    assert 1 <= int(refused["Retry-After"]) <= 20
    problem_of(refused)
    assert client.get("/api/user/profile", headers=others).status_code == 200
    assert [client.get("/api/songs/search?q=x").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/api/songs/search?q=x", REMOTE_ADDR="10.0.0.2").status_code == 200


# --- The description -------------------------------------------------------------------------------------------------


def test_every_call_says_what_it_may_answer(client: Client) -> None:
    described = client.get("/api/openapi.json").json()

    assert len(described["paths"]) >= 20
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            codes = set(operation["responses"])
            assert {"422", "429"} <= codes, (method, path)
            assert codes & {"200", "201", "202", "204", "302"}, (method, path)
            assert operation["description"], (method, path)
    assert "http://" not in json.dumps(described["paths"])


def test_each_call_has_a_name_of_its_own_that_stays(client: Client) -> None:
    described = client.get("/api/openapi.json").json()
    names = {
        f"{method.upper()} {path.removeprefix('/api')}": operation["operationId"]
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    }

    assert names == OPERATION_IDS
    assert len(set(names.values())) == len(names)


def test_the_docs_page_brings_its_own_files(client: Client) -> None:
    html = client.get("/api/docs").content.decode()

    assert reverse("api:openapi-json") == "/api/openapi.json"
    assert "/static/ninja/swagger-ui-bundle.js" in html
    assert "http://" not in html
    assert "https://" not in html
