"""The sections of "For you": what stands in them, what is recorded, what a click does."""

import json
import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import User
from catalog.models import Artist, Genre, Track
from feedback.plays.models import Play
from feedback.preferences.models import Block, TasteAdjustment, TasteExclusion
from feedback.preferences.services import block
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.models import Recommendation
from recommender.pages.for_you import SIZES, recommend_for_you
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


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


def like(user: User, *tracks: Track) -> None:
    for track in tracks:
        rate(user=user, track=track, value=Rating.Value.LIKE)


def sections(user: User) -> dict[str, list[str]]:
    home = recommend_for_you(user=user)
    assert home is not None
    return {section.name: [item.track.title for item in section.items] for section in home.sections}


def test_every_section_has_its_songs_and_no_song_stands_twice(tracks: list[Track], user: User) -> None:
    like(user, tracks[0], tracks[1])
    shelves = sections(user)
    assert set(shelves["made"][:2]) == {"Song 0.2", "Song 0.3"}
    shown = [title for titles in shelves.values() for title in titles]
    assert len(shown) == len(set(shown))
    assert all(len(titles) <= SIZES[name] for name, titles in shelves.items())  # type: ignore[index]
    assert not any(title.startswith("Song 0.") for title in shelves["new"])


def test_a_new_listener_has_what_is_made_new_and_popular(tracks: list[Track], user: User) -> None:
    assert list(sections(user)) == ["made", "new", "popular"]


def heard(user: User, track: Track, times: int, days: float) -> None:
    for number in range(times):
        at = timezone.now() - timedelta(days=days, minutes=number)
        Play.objects.create(user=user, track=track, outcome=Play.Outcome.COMPLETED, played_at=at)


def reasons(page: str, section: str) -> dict[str, str]:
    """Return what a section shows: the songs with their reasons, from the page itself."""
    html = page.partition(f'id="section-{section}"')[2].partition("</section>")[0]
    titles = re.findall(r'class="track-title"[^>]*>([^<]*)<', html)
    return dict(zip(titles, re.findall(r'class="track-reason"[^>]*>([^<]*)<', html), strict=True))


def test_the_shelves_of_known_songs_tell_the_truth(tracks: list[Track], user: User, client: Client) -> None:
    heard(user, tracks[0], 5, 10)
    heard(user, tracks[4], 3, 400)
    like(user, tracks[8], tracks[4], tracks[0])
    Rating.objects.exclude(track=tracks[0]).update(updated_at=timezone.now() - timedelta(days=300))
    months = [date_format(timezone.now() - timedelta(days=days), "F Y") for days in (400, 300)]
    expected = {
        "again": {"Song 0.0": "Played 5 times"},
        "forgotten": {"Song 1.0": f"Last played in {months[0]}", "Song 2.0": f"Liked in {months[1]}"},
    }
    for _as_made_and_as_read_back in range(2):
        page = client.get("/").content.decode()
        assert {name: reasons(page, name) for name in expected} == expected
        assert "Listen again" in page
        assert "Forgotten favourites" in page
        # The song that is liked says so.
        row = page.partition(f'id="track-{tracks[0].pk}"')[2].partition("</article>")[0]
        assert 'name="value" value="0" aria-pressed="true"' in row
    shown = Recommendation.objects.get(section="again")
    why = client.get(reverse("recommender:why", args=[shown.page, shown.track_id])).content.decode()
    assert "How often you played it" in why
    assert f"Played 5 times · Last played in {date_format(timezone.now() - timedelta(days=10), 'F Y')}" in why


def test_a_refused_or_blocked_song_is_not_played_again(tracks: list[Track], user: User) -> None:
    for track in tracks[0:12:4]:
        heard(user, track, 5, 10)
    rate(user=user, track=tracks[0], value=Rating.Value.DISLIKE)
    block(user=user, target=tracks[4].credits.get().artist, until=None)
    assert sections(user)["again"] == ["Song 2.0"]
    Track.objects.filter(pk=tracks[8].pk).update(is_active=False)
    assert "again" not in sections(user)


def test_new_releases_are_told_with_their_year(user: User) -> None:
    year = timezone.localdate().year
    made = make_catalogue()
    Track.objects.filter(pk__in=[track.pk for track in made[12:16]]).update(release_year=year - 1)
    Track.objects.filter(pk__in=[track.pk for track in made[0:12]]).update(release_year=year - 2)
    call_command("retrain", verbosity=0)
    like(user, made[12], *made[0:12:4])
    home = recommend_for_you(user=user, sizes={"fresh": 4})
    assert home is not None
    shown = {item.track.title: item.reason for item in home.sections[0].items}
    assert len(shown) == 2  # as many as an artist may have
    assert set(shown) < {"Song 3.1", "Song 3.2", "Song 3.3"}
    assert set(shown.values()) == {f"Released in {year - 1}"}


def test_each_song_is_recorded_with_its_section(tracks: list[Track], user: User) -> None:
    like(user, tracks[0])
    shelves = sections(user)
    rows = list(Recommendation.objects.order_by("position").select_related("track"))
    assert len({row.page for row in rows}) == 1
    assert [row.position for row in rows] == list(range(len(rows)))
    recorded: dict[str, list[str]] = {}
    for row in rows:
        recorded.setdefault(row.section, []).append(row.track.title)
        assert row.score == pytest.approx(sum(row.reason["terms"].values()), abs=1e-4)
        assert (row.policy, row.propensity) == ("greedy", 1.0)
    assert recorded == shelves


def test_exploring_is_recorded_in_the_sections_that_explore(tracks: list[Track], user: User) -> None:
    like(user, tracks[0])
    user.adventure = 1.0
    user.save()
    sections(user)
    policies = set(Recommendation.objects.values_list("section", "policy"))
    assert {section for section, policy in policies if policy == "thompson"} == {"made", "new"}


def test_the_page_names_its_sections(tracks: list[Track], user: User, client: Client) -> None:
    like(user, *tracks[0:20:4])
    user.region = "SE"
    user.save()
    page = client.get("/").content.decode()
    for title in ("Made for you", "From artists new to you", "More from your artists", "Popular in Sweden"):
        assert title in page
    assert page.count('<article class="track-row"') == len(set(Recommendation.objects.values_list("track_id")))


def answer_url(section: str, track: Track) -> str:
    return reverse("recommender:rate_in_section", args=[section, track.pk])


def test_a_like_answers_with_the_section_as_it_has_learned(tracks: list[Track], user: User, client: Client) -> None:
    answer = client.post(answer_url("made", tracks[39]), {"value": "1"}, headers=HTMX)
    assert Rating.objects.get(user=user, track=tracks[39]).value == 1
    page = answer.content.decode()
    assert page.lstrip().startswith('<section class="feed-section" id="section-made"')
    assert "You liked Song 9.3." in page
    titles = [item.track.title for item in answer.context["section"].items]
    assert "Song 9.3" not in titles
    assert titles[0] == "Song 9.2"
    assert '<p class="feed-note" id="feed-note" hx-swap-oob="true">Learned from 1 like.</p>' in page


def test_sections_drawn_anew_say_what_they_are_based_on(tracks: list[Track], user: User, client: Client) -> None:
    like(user, tracks[0], tracks[1])
    page = client.get("/", headers=HTMX).content.decode()
    assert '<p class="feed-note" id="feed-note" hx-swap-oob="true">Learned from 2 likes.</p>' in page
    assert page.count("feed-note") == 2
    assert client.get("/").content.decode().count('id="feed-note"') == 1


def test_the_section_shows_nothing_of_the_others(tracks: list[Track], user: User, client: Client) -> None:
    others = ",".join(str(track.pk) for track in tracks[20:39])
    answer = client.post(
        answer_url("made", tracks[39]), {"value": "-1", "shown-popular": others, "shown-made": "1,2"}, headers=HTMX
    )
    assert "You disliked Song 9.3." in answer.content.decode()
    assert {item.track.title[5] for item in answer.context["section"].items} == set("01234")


def test_undo_puts_back_what_was_before(tracks: list[Track], user: User, client: Client) -> None:
    rate(user=user, track=tracks[39], value=Rating.Value.DISLIKE)
    answer = client.post(answer_url("made", tracks[39]), {"value": "1"}, headers=HTMX)
    assert answer.context["last_rating"]["before"] == -1
    answer = client.post(answer_url("made", tracks[39]), {"value": "-1", "undo": "1"}, headers=HTMX)
    assert Rating.objects.get(user=user, track=tracks[39]).value == -1
    assert "data-vanish-seconds" not in answer.content.decode()


@pytest.mark.parametrize(
    ("section", "sent"),
    [("other", {"value": "1"}), ("made", {"value": "2"}), ("made", {"value": "1", "shown-new": "x"})],
)
def test_a_bad_answer_is_refused(
    tracks: list[Track], user: User, client: Client, section: str, sent: dict[str, str]
) -> None:
    assert client.post(answer_url(section, tracks[0]), sent, headers=HTMX).status_code == 400
    assert not Rating.objects.exists()


def test_without_javascript_the_message_carries_the_way_back(tracks: list[Track], user: User, client: Client) -> None:
    client.post(reverse("feedback:rate", args=[tracks[39].pk]), {"value": "1", "next": "/"})
    page = client.get("/").content.decode()
    assert "You liked Song 9.3." in page
    form = page[page.index("undo-form") :]
    assert form.index('name="value" value="0"') < form.index("Undo")
    client.post(reverse("feedback:rate", args=[tracks[39].pk]), {"value": "0", "next": "/"})
    assert not Rating.objects.exists()


def shown(user: User, title: str) -> Recommendation:
    recommend_for_you(user=user)
    return Recommendation.objects.filter(track__title=title).latest("pk")


def test_why_is_true_to_the_record(tracks: list[Track], user: User, client: Client) -> None:
    like(user, tracks[0], tracks[1])
    row = shown(user, "Song 0.3")
    answer = client.get(reverse("recommender:why", args=[row.page, row.track_id]))
    terms = {str(bar.label): bar.value for bar in answer.context["why"].bars}
    expected = sorted((value for value in row.reason["terms"].values() if abs(value) >= 0.005), reverse=True)
    assert list(terms.values()) == expected
    assert terms["The song's artists"] == row.reason["terms"]["artist"]
    page = answer.content.decode()
    assert "Because you like Song 0.0 by Artist 0" in page
    assert tracks[0].credits.get().artist.get_absolute_url() in page
    assert f"Score {row.score:.2f}" in page


def test_why_tells_what_has_no_song_behind_it(tracks: list[Track], user: User, client: Client) -> None:
    row = shown(user, "Song 0.3")
    row.reason["terms"] |= {"exploration": 2.5, "variety": -0.5, "era": 0.7, "answers": 0.6}
    row.save()
    page = client.get(reverse("recommender:why", args=[row.page, row.track_id])).content.decode()
    assert "The more adventurous your setting" in page
    assert "Moved down because it is similar to a song further up" in page
    assert "What else they like." in page
    assert "From the same era as your songs" in page


@pytest.mark.parametrize("name", ["why", "menu"])
def test_the_record_of_another_listener_is_not_there(
    tracks: list[Track], user: User, client: Client, name: str
) -> None:
    other = make_user("other", adventure=0.0)
    row = shown(other, "Song 9.3")
    url = reverse(f"recommender:{name}", args=[row.page, row.track_id])
    assert client.get(url).status_code == 404
    assert client.post(reverse("recommender:wrong_reason", args=[row.page, row.track_id])).status_code == 404
    client.logout()
    assert reverse("account_login") in client.get(url).url  # type: ignore[attr-defined]


def test_a_wrong_reason_turns_its_artist_down(tracks: list[Track], user: User, client: Client) -> None:
    like(user, tracks[0], tracks[1])
    row = shown(user, "Song 0.3")
    answer = client.post(reverse("recommender:wrong_reason", args=[row.page, row.track_id]), headers=HTMX)
    assert "Thanks. Artist 0 now counts half as much." in answer.content.decode()
    assert json.loads(answer["HX-Trigger"]) == {"close-sheet": {}, "taste-changed": {}}
    assert TasteAdjustment.objects.get().artist == Artist.objects.get(name="Artist 0")
    row.refresh_from_db()
    assert row.is_reason_wrong


def test_a_wrong_reason_of_popularity_is_only_noted(tracks: list[Track], user: User, client: Client) -> None:
    row = shown(user, "Song 9.3")
    client.post(reverse("recommender:wrong_reason", args=[row.page, row.track_id]))
    assert "Thanks, noted." in client.get("/taste/").content.decode()
    assert not TasteAdjustment.objects.exists()


def test_the_menu_blocks_for_a_while(tracks: list[Track], user: User, client: Client) -> None:
    row = shown(user, "Song 9.3")
    menu = client.get(reverse("recommender:menu", args=[row.page, row.track_id])).content.decode()
    artist, genre = Artist.objects.get(name="Artist 9"), Genre.objects.get(name="techno")
    for value in (f"track {tracks[39].pk}", f"artist {artist.pk}", f"genre {genre.pk}"):
        assert f'<option value="{value}">' in menu
    before = timezone.now()
    answer = client.post(
        reverse("feedback:block"),
        {"what": f"artist {artist.pk}", "days": "7"},
        headers={**HTMX, "HX-Target": "sheet-body"},
    )
    assert json.loads(answer["HX-Trigger"]) == {"close-sheet": {}, "taste-changed": {}}
    assert answer["HX-Reswap"] == "none"
    assert f'hx-post="{reverse("feedback:unblock")}"' in answer.content.decode()
    until = Block.objects.get(user=user, artist=artist).until
    assert until is not None
    assert timedelta(days=7) <= until - before < timedelta(days=7, minutes=1)
    assert not any(title.startswith("Song 9.") for titles in sections(user).values() for title in titles)
    client.post(reverse("feedback:unblock"), {"kind": "artist", "id": str(artist.pk)})
    assert not Block.objects.exists()


def test_a_block_without_javascript_is_said_with_the_way_back(tracks: list[Track], user: User, client: Client) -> None:
    client.post(reverse("feedback:block"), {"what": f"track {tracks[39].pk}", "days": "", "next": "/"})
    page = client.get("/").content.decode()
    assert "We won&#x27;t recommend Song 9.3 any more." in page
    assert reverse("feedback:unblock") in page


def test_every_song_has_a_menu(tracks: list[Track], user: User, client: Client) -> None:
    menu = client.get(reverse("recommender:song_menu", args=[tracks[39].pk]), headers=HTMX).content.decode()
    for name in ("recommender:similar", "feedback:track_playlists"):
        assert f'href="{reverse(name, args=[tracks[39].pk])}"' in menu
    assert f'href="{reverse("recommender:journey")}?start={tracks[39].pk}"' in menu
    assert f'<option value="track {tracks[39].pk}">' in menu
    assert "Why this song?" not in menu
    Track.objects.filter(pk=tracks[39].pk).update(is_active=False)
    assert client.get(reverse("recommender:song_menu", args=[tracks[39].pk])).status_code == 404


def test_the_pages_of_a_song_and_an_artist_leave_them_out_of_the_taste(
    tracks: list[Track], user: User, client: Client
) -> None:
    artist = tracks[0].credits.get().artist
    for target, kind, name in ((tracks[0], "track", "Song 0.0"), (artist, "artist", "Artist 0")):
        address = target.get_absolute_url()
        html = client.get(address).content.decode()
        sent = dict(re.findall(r'name="(next|kind|id)" value="([^"]*)"', html.partition('action="/taste/exclude/"')[2]))
        assert sent == {"next": address, "kind": kind, "id": str(target.pk)}
        answer = client.post(reverse("feedback:exclude"), sent, follow=True)
        assert f"{name} no longer counts towards your taste." in answer.content.decode()
    assert TasteExclusion.objects.filter(user=user, track=tracks[0]).count() == 1
    assert TasteExclusion.objects.filter(user=user, artist=artist).count() == 1
    client.logout()
    assert "/taste/exclude/" not in client.get(artist.get_absolute_url()).content.decode()


def test_a_song_is_excluded_and_counts_again(tracks: list[Track], user: User, client: Client) -> None:
    like(user, tracks[0])
    client.post(reverse("feedback:exclude"), {"kind": "track", "id": str(tracks[0].pk)})
    row = TasteExclusion.objects.get()
    client.force_login(make_user("other"))
    assert client.post(reverse("feedback:remove_exclusion", args=[row.pk])).status_code == 404
    client.force_login(user)
    client.post(reverse("feedback:remove_exclusion", args=[row.pk]))
    assert not TasteExclusion.objects.exists()


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("block", {"what": "song 1"}),
        ("block", {"kind": "artist", "id": "999999"}),
        ("block", {"kind": "track", "id": "1", "days": "5"}),
        ("unblock", {"kind": "genre"}),
        ("adjust", {"kind": "feature", "id": "smell", "level": "up"}),
        ("adjust", {"kind": "feature", "id": "tempo", "level": "louder"}),
        ("adjust", {"kind": "artist", "id": "99999999999999999999", "level": "up"}),
        ("exclude", {"kind": "genre", "id": "1"}),
    ],
)
def test_what_does_not_fit_is_refused(user: User, client: Client, name: str, sent: dict[str, str]) -> None:
    assert client.post(reverse(f"feedback:{name}"), sent).status_code == 400
    assert client.get(reverse(f"feedback:{name}")).status_code == 405
