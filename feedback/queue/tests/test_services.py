"""The play queue: what comes next, on every device the same."""

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.duplicates.merging import merge_tracks
from catalog.models import Track
from feedback.queue import services
from feedback.queue.models import PlayQueue, QueueItem
from feedback.queue.selectors import items_behind, queue_state
from feedback.tests.factories import UserFactory, make_track
from jobs.tests.threads import run_together


@pytest.fixture
def songs(db: None) -> list[Track]:
    return [make_track(title) for title in "ABCDE"]


def order(user: User) -> str:
    """Return the titles in order, the one that plays in brackets."""
    queue = PlayQueue.objects.get(user=user)
    items = QueueItem.objects.filter(queue=queue).select_related("track").order_by("position")
    return "".join(f"({i.track.title})" if i.position == queue.position else i.track.title for i in items)


def item(user: User, title: str) -> QueueItem:
    return QueueItem.objects.get(queue__user=user, track__title=title)


def test_a_list_is_played_from_the_top_or_from_one_song(user: User, songs: list[Track]) -> None:
    services.play_all(user=user, tracks=songs, origin="Likes", origin_url="/ratings/")
    assert order(user) == "(A)BCDE"
    state = queue_state(user)
    assert (state.origin, state.origin_url, state.ahead, state.has_previous) == ("Likes", "/ratings/", 4, False)
    services.play_all(user=user, tracks=songs[:3], first=songs[1])
    assert order(user) == "A(B)C"
    assert (queue_state(user).has_previous, queue_state(user).ahead, queue_state(user).origin) == (True, 1, "")
    services.play_all(user=user, tracks=[])
    assert (order(user), queue_state(user).current) == ("", None)


def test_next_and_previous_stop_at_the_ends(user: User, songs: list[Track]) -> None:
    assert services.go_next(user=user) is None
    services.play_all(user=user, tracks=songs[:3])
    titles = [results and results.track.title for results in (services.go_next(user=user) for _ in range(3))]
    assert titles == ["B", "C", None]
    assert order(user) == "AB(C)"
    titles = [results and results.track.title for results in (services.go_previous(user=user) for _ in range(3))]
    assert titles == ["B", "A", None]
    assert order(user) == "(A)BC"


def test_a_device_that_was_left_behind_follows_instead_of_leading(user: User, songs: list[Track]) -> None:
    services.play_all(user=user, tracks=songs)
    first = item(user, "A").pk
    for _ in range(2):
        results = services.go_next(user=user, after=first)
        assert results is not None
        assert results.track.title == "B"
    assert order(user) == "A(B)CDE"


def test_a_song_played_now_and_songs_added(user: User, songs: list[Track]) -> None:
    a, b, c, d, e = songs
    services.play_now(user=user, track=a)
    assert order(user) == "(A)"
    services.add(user=user, tracks=[b, c])
    services.add(user=user, tracks=[d], is_next=True)
    assert order(user) == "(A)DBC"
    services.play_now(user=user, track=e)
    assert order(user) == "A(E)DBC"
    services.play_now(user=user, track=e)
    assert order(user) == "AE(E)DBC"


def test_songs_added_to_an_empty_queue_wait_until_next(user: User, songs: list[Track]) -> None:
    services.add(user=user, tracks=songs[:2])
    assert (order(user), queue_state(user).current, queue_state(user).ahead) == ("AB", None, 2)
    services.go_next(user=user)
    assert order(user) == "(A)B"


def test_chosen_songs_come_before_recommended_ones(user: User, songs: list[Track]) -> None:
    a, b, c, d, _e = songs
    services.play_all(user=user, tracks=[a])
    services.add_radio(user=user, tracks=[b, c])
    services.add_radio(user=user, tracks=[c])
    assert order(user) == "(A)BC"
    services.add(user=user, tracks=[d])
    assert order(user) == "(A)DBC"
    assert list(QueueItem.objects.order_by("position").values_list("is_radio", flat=True)) == [False, False, True, True]


def test_removing_keeps_the_place(user: User, songs: list[Track]) -> None:
    services.play_all(user=user, tracks=songs)
    services.go_next(user=user)
    assert services.remove(user=user, item_id=item(user, "C").pk)
    assert not services.remove(user=user, item_id=0)
    services.remove(user=user, item_id=item(user, "B").pk)
    assert (order(user), queue_state(user).current, queue_state(user).ahead) == ("ADE", None, 2)
    # What is inserted now still comes after the song that was taken out.
    services.add(user=user, tracks=[songs[1]], is_next=True)
    assert (order(user), queue_state(user).current) == ("ABDE", None)
    services.go_next(user=user)
    assert order(user) == "A(B)DE"
    services.clear(user=user)
    assert order(user) == "A(B)"


def test_jumping(user: User, songs: list[Track]) -> None:
    services.play_all(user=user, tracks=songs)
    assert services.jump(user=user, item_id=item(user, "D").pk)
    assert order(user) == "ABC(D)E"
    other = UserFactory()
    assert not services.jump(user=other, item_id=item(user, "A").pk)
    assert not services.remove(user=other, item_id=item(user, "A").pk)
    assert order(user) == "ABC(D)E"


def test_shuffle_moves_what_is_to_come_and_comes_back(user: User) -> None:
    songs = [make_track(chr(ord("a") + number)) for number in range(26)]
    services.play_all(user=user, tracks=songs, first=songs[2])
    before = order(user)
    services.set_shuffle(user=user, is_on=True)
    shuffled = order(user)
    assert shuffled.startswith("ab(c)")
    assert sorted(shuffled) == sorted(before)
    assert shuffled != before
    services.go_next(user=user)
    services.set_shuffle(user=user, is_on=True)
    current = shuffled[5]
    assert order(user).startswith(f"abc({current})")
    services.set_shuffle(user=user, is_on=False)
    assert order(user).replace("(", "").replace(")", "") == "abcdefghijklmnopqrstuvwxyz"
    assert f"({current})" in order(user)


def test_a_shuffled_queue_stays_so_with_the_next_list(user: User) -> None:
    songs = [make_track(chr(ord("a") + number)) for number in range(26)]
    services.set_shuffle(user=user, is_on=True)
    services.play_all(user=user, tracks=songs, first=songs[7])
    assert order(user).startswith("(h)")
    assert order(user) != "(h)abcdefgijklmnopqrstuvwxyz"
    services.set_shuffle(user=user, is_on=False)
    assert order(user) == "abcdefg(h)ijklmnopqrstuvwxyz"


def test_hidden_songs_are_passed_over(user: User, songs: list[Track]) -> None:
    services.play_all(user=user, tracks=songs[:3])
    Track.objects.filter(title="B").update(is_active=False)
    assert queue_state(user).ahead == 1
    assert not services.jump(user=user, item_id=item(user, "B").pk)
    services.go_next(user=user)
    assert order(user) == "AB(C)"
    services.go_previous(user=user)
    assert order(user) == "(A)BC"


def test_a_song_that_is_deleted_leaves_the_place(user: User, songs: list[Track]) -> None:
    services.play_all(user=user, tracks=songs[:3])
    services.go_next(user=user)
    songs[1].delete()
    assert queue_state(user).current is None
    results = services.go_next(user=user)
    assert results is not None
    assert results.track.title == "C"


def test_limits(user: User, songs: list[Track], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_SONGS", 2)
    monkeypatch.setattr(services, "KEPT_BEHIND", 1)
    services.play_all(user=user, tracks=songs)
    assert order(user) == "(A)B"
    services.add(user=user, tracks=[songs[2]])
    with pytest.raises(services.QueueFullError):
        services.add(user=user, tracks=[songs[3]])
    for _ in range(2):
        services.go_next(user=user)
    services.add(user=user, tracks=[songs[3]])
    assert order(user) == "B(C)D"


def test_merged_songs_keep_their_place(user: User, songs: list[Track]) -> None:
    services.play_all(user=user, tracks=songs[:3])
    merge_tracks(keep=songs[2], duplicates=[songs[0]])
    assert order(user) == "(C)BC"


def test_the_database_keeps_places_apart(user: User, songs: list[Track]) -> None:
    queue = services.play_all(user=user, tracks=songs[:2])
    with pytest.raises(IntegrityError), transaction.atomic():
        QueueItem.objects.create(queue=queue, track=songs[0], position=1, original_position=9)


@pytest.mark.django_db(transaction=True)
def test_devices_at_once_move_one_by_one() -> None:
    user, songs = UserFactory(), [make_track(title) for title in "ABCDEF"]
    run_together(*[lambda: services.add(user=user, tracks=songs[:1])] * 4)
    assert order(user) == "AAAA"
    services.play_all(user=user, tracks=songs)
    first = item(user, "A").pk
    items = run_together(*[lambda: services.go_next(user=user, after=first)] * 4)
    assert [moved.track.title for moved in items] == ["B"] * 4
    items = run_together(*[lambda: services.go_next(user=user)] * 3)
    assert sorted(moved.track.title for moved in items) == ["C", "D", "E"]
    assert order(user) == "ABCD(E)F"


def test_reading_costs_as_many_queries_however_long(
    user: User, songs: list[Track], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (1, 3):
        queue = services.play_all(user=user, tracks=songs[: count + 1], first=songs[count])
        with django_assert_num_queries(3):
            state = queue_state(user)
        assert (state.current, state.has_previous, state.ahead) == (item(user, "ABCD"[count]), True, 0)
        with django_assert_num_queries(1):
            behind = [row.track.title for row in items_behind(queue)]
        assert behind == list("CBA"[3 - count :])


def test_a_song_that_is_to_come_moves_and_nothing_else_does(user: User, songs: list[Track]) -> None:
    services.play_all(user=user, tracks=songs)
    services.go_next(user=user)
    assert services.move(user=user, item_id=item(user, "E").pk, index=0)
    assert order(user) == "A(B)ECD"
    assert services.move(user=user, item_id=item(user, "E").pk, index=99)
    assert order(user) == "A(B)CDE"
    for title in "AB":
        assert not services.move(user=user, item_id=item(user, title).pk, index=0)
    other = UserFactory()
    services.play_all(user=other, tracks=songs)
    assert not services.move(user=user, item_id=item(other, "C").pk, index=0)
    assert (order(user), order(other)) == ("A(B)CDE", "(A)BCDE")


def test_positions_count_only_the_songs_that_are_shown(user: User, songs: list[Track]) -> None:
    services.play_all(user=user, tracks=songs)
    hidden = item(user, "B")
    Track.objects.filter(pk=hidden.track_id).update(is_active=False)
    assert services.move(user=user, item_id=item(user, "E").pk, index=1)
    assert order(user) == "(A)BCED"
    assert not services.move(user=user, item_id=hidden.pk, index=0)
