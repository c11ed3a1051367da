"""The "For you" page: what it shows, what it learns, what it records."""

import re
import uuid
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.duplicates.merging import merge_tracks
from catalog.models import Genre, Track
from feedback.plays.models import Play
from feedback.preferences.models import ArtistPreference, GenrePreference
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.adapters.feedback import load_feedback
from recommender.adapters.impressions import load_impressions
from recommender.lifecycle.versions import active_model
from recommender.models import ModelVersion, Recommendation
from recommender.pages.feed import recommend_feed
from recommender.tests.builders import LOUD, make_catalogue, make_track, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tracks() -> list[Track]:
    made = make_catalogue()
    call_command("retrain", verbosity=0)
    return made


@pytest.fixture
def user(client: Client) -> User:
    made = make_user(adventure=0.0)  # so that each page is certain
    client.force_login(made)
    return made


def shown(user: User, k: int = 8) -> list[str]:
    feed = recommend_feed(user=user, k=k)
    assert feed is not None
    return [item.track.title for item in feed.items]


def like(user: User, *tracks: Track) -> None:
    for track in tracks:
        rate(user=user, track=track, value=Rating.Value.LIKE)


def test_a_new_listener_sees_what_is_popular_two_per_artist(tracks: list[Track], user: User) -> None:
    titles = shown(user, 4)
    assert titles == ["Song 9.3", "Song 8.3", "Song 7.3", "Song 6.3"]


def test_two_likes_of_one_artist_move_the_feed_and_the_reason_names_the_artist(
    tracks: list[Track], user: User, client: Client
) -> None:
    like(user, tracks[0], tracks[1])
    feed = recommend_feed(user=user)
    assert feed is not None
    assert {item.track.title for item in feed.items[:2]} == {"Song 0.2", "Song 0.3"}
    assert "Because you like Song 0.0 by Artist 0" in feed.items[0].reason
    page = client.get(reverse("recommender:home")).content.decode()
    assert "Because you like Song 0.0 by Artist 0" in page
    assert "Learned from 2 likes." in page


def test_rated_and_recently_heard_songs_are_out(tracks: list[Track], user: User) -> None:
    rate(user=user, track=tracks[39], value=Rating.Value.DISLIKE)
    Play.objects.create(user=user, track=tracks[35], outcome=Play.Outcome.COMPLETED)
    Play.objects.create(user=user, track=tracks[31], played_at=timezone.now() - timedelta(days=200))
    like(user, tracks[27])
    titles = shown(user, 40)
    assert not {"Song 9.3", "Song 8.3", "Song 6.3"} & set(titles)


def test_a_dislike_lowers_the_neighbours(tracks: list[Track], user: User) -> None:
    assert shown(user, 20)[0] == "Song 9.3"
    for track in tracks[36:38]:
        rate(user=user, track=track, value=Rating.Value.DISLIKE)
    after = shown(user, 20)
    assert len(after) == 20
    assert {"Song 9.2", "Song 9.3"} == set(after[-2:])


def test_two_songs_per_artist_at_most_and_one_version_of_a_song(user: User) -> None:
    make_catalogue()
    for version in ("Hymn", "Hymn - Live", "Hymn (2011 Remaster)", "Other", "Third"):
        make_track(version, ["Star"], ["techno"], popularity=100, features=LOUD)
    call_command("retrain", verbosity=0)
    titles = shown(user, 20)
    assert len({"Hymn", "Hymn - Live", "Hymn (2011 Remaster)"} & set(titles)) == 1
    assert len({"Hymn", "Hymn - Live", "Hymn (2011 Remaster)", "Other", "Third"} & set(titles)) == 2


def test_stated_genres_and_artists_shape_the_first_page(tracks: list[Track], user: User) -> None:
    GenrePreference.objects.create(user=user, genre=Genre.objects.get(name="folk"))
    ArtistPreference.objects.create(user=user, artist=tracks[4].credits.get().artist)
    feed = recommend_feed(user=user, k=6)
    assert feed is not None
    assert {item.track.credits.all()[0].artist.name for item in feed.items} <= {f"Artist {n}" for n in range(5)}
    assert {"Song 1.3", "Song 1.2"} <= {item.track.title for item in feed.items}
    assert any("Because you chose" in item.reason for item in feed.items)


def test_each_shown_song_is_recorded_with_terms_that_add_up(tracks: list[Track], user: User) -> None:
    like(user, tracks[0])
    assert len(shown(user, 5)) == 5
    rows = list(Recommendation.objects.filter(user=user).order_by("position"))
    assert [row.position for row in rows] == [0, 1, 2, 3, 4]
    assert len({row.page for row in rows}) == 1
    for row in rows:
        assert row.score == pytest.approx(sum(row.reason["terms"].values()), abs=1e-4)
        assert (row.policy, row.propensity, row.is_shown) == ("greedy", 1.0, True)


def test_explicit_songs_are_left_out_for_who_does_not_want_them(tracks: list[Track], user: User) -> None:
    Track.objects.filter(title="Song 9.3").update(explicit=True)
    call_command("retrain", verbosity=0)
    assert "Song 9.3" in shown(user)
    user.explicit_allowed = False
    assert "Song 9.3" not in shown(user)


def test_songs_hidden_or_deleted_since_the_retrain_are_not_shown(tracks: list[Track], user: User) -> None:
    Track.objects.filter(title="Song 9.3").update(is_active=False)
    Track.objects.filter(title="Song 8.3").delete()
    titles = shown(user)
    assert not {"Song 9.3", "Song 8.3"} & set(titles)
    assert len(titles) == 8


def test_before_the_first_retrain_popular_songs_are_shown_and_said_to_be_that(user: User, client: Client) -> None:
    make_catalogue()
    page = client.get(reverse("recommender:home")).content.decode()
    assert "Recommendations aren&#x27;t ready yet" in page
    assert "Song 9.3" in page
    assert not Recommendation.objects.exists()


def test_an_empty_catalogue_says_what_to_do(user: User, client: Client) -> None:
    assert "There are no songs on this site yet." in client.get(reverse("recommender:home")).content.decode()
    user.is_staff = True
    user.save()
    assert "import_tracks" in client.get(reverse("recommender:home")).content.decode()


def test_visitors_see_what_the_site_is(client: Client) -> None:
    assert "There are no songs on this site yet." in client.get("/").content.decode()
    make_catalogue()
    page = client.get("/").content.decode()
    assert "Song 9.3" in page
    assert reverse("account_signup") in page


def test_htmx_gets_the_feed_alone(tracks: list[Track], user: User, client: Client) -> None:
    answer = client.get("/", headers={"HX-Request": "true"})
    assert answer.content.decode().lstrip().startswith('<div id="feed"')
    assert "HX-Request" in answer["Vary"]


def test_only_get_is_allowed(client: Client) -> None:
    assert client.post("/").status_code == 405


def test_the_number_of_queries_does_not_grow_with_the_feed(
    user: User, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    like(user, make_track("Liked", ["A"], ["folk"], features=LOUD))
    make_track("One", ["A"], ["folk"], features=LOUD)
    make_track("Other", ["Z"], ["jazz"], is_active=False)
    call_command("retrain", verbosity=0)
    client.get("/")
    cache.clear()
    with django_assert_num_queries(27):
        assert songs_on(client) == 1
    make_track("Two", ["B"], ["techno"])
    make_track("Three", ["C", "D"], ["folk", "techno"])
    call_command("retrain", verbosity=0)
    client.get("/")
    cache.clear()
    with django_assert_num_queries(27):
        assert songs_on(client) == 3


def test_the_dial_is_on_the_page_and_is_kept(tracks: list[Track], user: User, client: Client) -> None:
    assert 'name="adventure"' in client.get("/").content.decode()
    assert client.post(reverse("recommender:adventure"), {"adventure": "0.75"}).url == "/"  # type: ignore[attr-defined]
    user.refresh_from_db()
    assert user.adventure == 0.75
    answer = client.post(reverse("recommender:adventure"), {"adventure": "1"}, headers={"HX-Request": "true"})
    assert answer.content.decode().lstrip().startswith('<div id="feed"')
    user.refresh_from_db()
    assert user.adventure == 1.0


def test_only_songs_with_a_recording_are_offered_if_there_are_any(
    tracks: list[Track], user: User, client: Client
) -> None:
    address = reverse("recommender:adventure")
    assert 'name="songs"' not in client.get("/").content.decode()
    recorded = [track.pk for track in tracks[:3]]
    Track.objects.filter(pk__in=recorded).update(has_file=True)
    assert 'name="songs"' in client.get("/").content.decode()
    headers = {"HX-Request": "true"}
    answer = client.post(address, {"adventure": "0", "songs": "recorded"}, headers=headers).content.decode()
    titles = re.findall(r'class="track-title" href="/songs/(\d+)/"', answer)
    assert titles
    assert set(map(int, titles)) <= set(recorded)
    client.post(address, {"adventure": "0.5"})
    user.refresh_from_db()
    assert user.recordings_only
    assert client.post(address, {"adventure": "0", "songs": "stolen"}).status_code == 400
    client.post(address, {"adventure": "0", "songs": "any"})
    user.refresh_from_db()
    assert not user.recordings_only


def test_tune_limits_the_page_to_new_songs(tracks: list[Track], user: User, client: Client) -> None:
    address, headers = reverse("recommender:adventure"), {"HX-Request": "true"}
    assert 'name="known"' in client.get("/").content.decode()
    for track in tracks[::2]:
        Play.objects.create(user=user, track=track, played_at=timezone.now() - timedelta(days=900))
    answer = client.post(address, {"adventure": "0", "known": "new"}, headers=headers).content.decode()
    titles = set(map(int, re.findall(r'class="track-title" href="/songs/(\d+)/"', answer)))
    assert titles
    assert titles <= {track.pk for track in tracks[1::2]}
    user.refresh_from_db()
    assert user.unheard_only
    client.post(address, {"adventure": "0.5", "known": "any"})
    user.refresh_from_db()
    assert not user.unheard_only


@pytest.mark.parametrize("value", ["1.5", "-1", "much", "nan", ""])
def test_the_dial_takes_0_to_1_only(user: User, client: Client, value: str) -> None:
    assert client.post(reverse("recommender:adventure"), {"adventure": value}).status_code == 400
    user.refresh_from_db()
    assert user.adventure == 0.0


def test_the_dial_needs_a_post_and_a_log_in(client: Client) -> None:
    assert client.get(reverse("recommender:adventure")).status_code == 405
    assert reverse("account_login") in client.post(reverse("recommender:adventure")).url  # type: ignore[attr-defined]


def test_what_was_shown_in_vain_on_several_visits_rests(tracks: list[Track], user: User) -> None:
    loaded = active_model()
    assert loaded is not None
    first = shown(user, 4)
    assert shown(user, 4) == first  # the same visit: looking again is not ignoring again
    ignored = Track.objects.get(title=first[0])
    for days in (1, 2):
        recommendation(user, ignored, loaded.version, timezone.now() - timedelta(days=days))
    assert first[0] not in shown(user, 4)
    assert first[1] in shown(user, 4)


def test_the_shown_songs_are_counted_by_visit(tracks: list[Track], user: User) -> None:
    loaded = active_model()
    assert loaded is not None
    now = timezone.now().replace(minute=30)
    for hours, track in ((0, tracks[0]), (0, tracks[0]), (5, tracks[0]), (24, tracks[1]), (1, tracks[2])):
        recommendation(user, track, loaded.version, now - timedelta(hours=hours))
    like(user, tracks[2])
    ignored = load_impressions(user, loaded.model.catalogue, load_feedback(user, loaded), now)
    ids = loaded.model.catalogue.track_ids[ignored.rows]
    assert dict(zip(ids.tolist(), ignored.times.tolist(), strict=True)) == {tracks[0].pk: 2, tracks[1].pk: 1}
    assert ignored.days.tolist() == pytest.approx([0.0, 1.0], abs=1e-4)


def test_merging_songs_moves_the_record_of_what_was_shown(tracks: list[Track], user: User) -> None:
    assert shown(user, 4)[:2] == ["Song 9.3", "Song 8.3"]
    keep, duplicate = Track.objects.get(title="Song 9.3"), Track.objects.get(title="Song 8.3")
    other = Track.objects.get(title="Song 0.0")
    merge_tracks(keep=keep, duplicates=[duplicate])
    merge_tracks(keep=other, duplicates=[Track.objects.get(title="Song 7.3")])
    rows = Recommendation.objects.order_by("position").values_list("track__title", flat=True)
    assert list(rows) == ["Song 9.3", "Song 0.0", "Song 6.3"]


def test_exploring_is_said_logged_and_scaled_by_the_dial(tracks: list[Track], user: User) -> None:
    # Of two artists out of three everybody knows the songs: only beside these there is something to be found.
    for number in range(9):
        like(make_user(f"other{number}"), *(track for index, track in enumerate(tracks) if index // 4 % 3))
    call_command("retrain", force=True, verbosity=0)
    like(user, tracks[0], tracks[20])
    n_found = 0
    for _ in range(5):
        feed = recommend_feed(user=user, k=4, adventure=1.0)
        assert feed is not None
        explored = set(
            Recommendation.objects.filter(user=user).order_by("-pk").values_list("is_explored", "track_id")[:4]
        )
        for item in feed.items:
            assert item.reason.startswith("A new find") == ((True, item.track.pk) in explored)
        n_found += sum(is_explored for is_explored, _pk in explored)
    assert n_found > 0
    rows = Recommendation.objects.filter(user=user)
    assert {row.policy for row in rows} == {"thompson"}
    assert all(0.0 < row.propensity <= 1.0 for row in rows)
    assert any(row.propensity < 1.0 for row in rows)
    assert all(row.score == pytest.approx(sum(row.reason["terms"].values()), abs=1e-4) for row in rows)


def songs_on(client: Client) -> int:
    return sum(len(section.items) for section in client.get("/").context["sections"])


def recommendation(user: User, track: Track, version: ModelVersion, at: datetime) -> None:
    Recommendation.objects.create(
        user=user,
        track=track,
        model_version=version,
        page=uuid.uuid4(),
        position=0,
        score=0.0,
        policy="greedy",
        propensity=1.0,
        created_at=at,
    )
