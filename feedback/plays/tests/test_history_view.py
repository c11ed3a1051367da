"""The history of plays, taking one out and putting it back."""

import re
from datetime import UTC, datetime, timedelta

from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from feedback.plays.models import Play
from feedback.tests.factories import PlayFactory, RatingFactory, UserFactory, make_track
from feedback.web.http import PAGE_SIZE

URL = "/history/"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/history/"}


def titles(client: Client, **query: str) -> list[str]:
    return [track.title for track in client.get(URL, query).context["tracks"]]


def test_anonymous_visitors_log_in(client: Client, db: None) -> None:
    assert client.get(URL)["Location"] == "/accounts/login/?next=/history/"


def test_own_plays_newest_first_each_time_played(listener: Client, user: User) -> None:
    now, song = timezone.now(), make_track("Song")
    for hours, track in ((3, song), (1, song), (2, make_track("Between"))):
        PlayFactory(user=user, track=track, played_at=now - timedelta(hours=hours))
    PlayFactory(user=UserFactory(), track=make_track("Not mine"))
    PlayFactory(user=user, track=make_track("Hidden", is_active=False))
    assert titles(listener) == ["Song", "Between", "Song"]


def test_ratings_show_and_ids_stay_unique(listener: Client, user: User) -> None:
    song = make_track()
    RatingFactory(user=user, track=song)
    for _ in range(2):
        PlayFactory(user=user, track=song)
    html = listener.get(URL).content.decode()
    assert html.count('aria-pressed="true"') == 2
    ids = [part.split('"', 1)[0] for part in html.split('id="like-')[1:]]
    assert len(set(ids)) == 2


def test_search_and_pages(listener: Client, user: User) -> None:
    PlayFactory(user=user, track=make_track("Déjà Vu", artist="Beyoncé"))
    for number in range(PAGE_SIZE):
        PlayFactory(user=user, track=make_track(f"Song {number}"))
    assert titles(listener, q="beyonce deja") == ["Déjà Vu"]
    assert titles(listener, q="nothing") == []
    assert len(titles(listener)) == PAGE_SIZE
    assert titles(listener, page="2") == ["Déjà Vu"]


def test_plays_stand_under_their_day(listener: Client, user: User) -> None:
    for hour in (1, 3, 30):
        at = datetime(2026, 3, 4, 12, tzinfo=UTC) - timedelta(hours=hour)
        PlayFactory(user=user, track=make_track(f"Song {hour}"), played_at=at)
    html = listener.get(URL).content.decode()
    assert re.findall(
        r'<h2 class="h6">(.*?)</h2>|class="track-title"[^>]*>(.*?)</a>|<time[^>]*>(.*?)</time>', html
    ) == [
        ("Wednesday, 4 Mar 2026", "", ""),
        ("", "", "11:00"),
        ("", "Song 1", ""),
        ("", "", "09:00"),
        ("", "Song 3", ""),
        ("Tuesday, 3 Mar 2026", "", ""),
        ("", "", "06:00"),
        ("", "Song 30", ""),
    ]


def test_query_count_does_not_grow(
    listener: Client, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for rows in (1, 3):
        while user.plays.count() < rows:
            PlayFactory(user=user, track=make_track(f"Song {user.plays.count()}", genres=["pop", "rock"]))
        with django_assert_num_queries(8):
            listener.get(URL)


def test_removing_and_undoing_without_javascript(listener: Client, user: User) -> None:
    play = PlayFactory(user=user, track=make_track("Gone"))
    kept_song = PlayFactory(user=user, track=make_track("Kept"))
    answer = listener.post(f"{URL}{play.pk}/remove/", {"next": "/history/?q=o"})
    assert answer["Location"] == "/history/?q=o"
    assert list(Play.objects.all()) == [kept_song]
    page = listener.get(URL)
    assert "Removed Gone from your history." in page.content.decode()
    assert "Gone" not in listener.get(URL).content.decode(), "offered once"
    answer = listener.post(f"{URL}restore/", {"removed": page.context["removed"]["undo"], "next": "/history/"})
    assert answer["Location"] == "/history/"
    assert sorted(titles(listener)) == ["Gone", "Kept"]


def test_removing_and_undoing_in_place(listener: Client, user: User) -> None:
    play = PlayFactory(user=user, track=make_track("Gone"))
    answer = listener.post(f"{URL}{play.pk}/remove/", headers=HTMX)
    html = answer.content.decode()
    assert "Removed Gone from your history." in html
    assert "feedback-changed" in answer["HX-Trigger"]
    assert not Play.objects.exists()
    removed = html.split('name="removed" value="', 1)[1].split('"', 1)[0]
    answer = listener.post(f"{URL}restore/", {"removed": removed}, headers=HTMX)
    assert 'class="play-row"' in answer.content.decode()
    assert "feedback-changed" in answer["HX-Trigger"]
    assert titles(listener) == ["Gone"]


def test_plays_of_others_and_forged_undos_are_not_found(listener: Client) -> None:
    play = PlayFactory(user=UserFactory(), track=make_track())
    assert listener.post(f"{URL}{play.pk}/remove/").status_code == 404
    assert listener.post(f"{URL}999999/remove/").status_code == 404
    assert listener.post(f"{URL}restore/", {"removed": "forged"}).status_code == 404
    assert list(Play.objects.all()) == [play]


def test_get_is_refused_and_csrf_enforced(listener: Client, user: User) -> None:
    play = PlayFactory(user=user, track=make_track())
    addresses = (f"{URL}{play.pk}/remove/", f"{URL}restore/")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    for address in addresses:
        assert listener.get(address).status_code == 405
        assert strict.post(address).status_code == 403
    assert Play.objects.exists()


def test_empty_history_says_what_to_do(listener: Client) -> None:
    assert "Nothing here yet" in listener.get(URL).content.decode()
