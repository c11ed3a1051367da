"""Reasons in words: what the listener did decides the word, and nothing is claimed that was not done."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from catalog.models import Artist, Genre, Track, TrackArtist
from feedback.plays.models import Play
from feedback.preferences.models import ArtistPreference, Block, GenrePreference, TasteExclusion
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.models import Recommendation
from recommender.pages.explanations.phrases import (
    Names,
    StoredCause,
    StoredReason,
    heard,
    leading_cause,
    sentence,
    words,
)
from recommender.pages.feed import recommend_feed
from recommender.pages.for_you import recommend_for_you
from recommender.pages.taste.profile import taste_of
from recommender.tests.builders import LOUD, QUIET, make_catalogue, make_track, make_user

NAMES = Names(
    tracks={1: "Nude", 2: "Taxman"}, artists={7: "Radiohead"}, genres={3: "rock"}
)  # fmt: skip
CLAIMS = (
    "you like",
    "you listen",
    "People who",
    "Listeners who",
    "Sounds like",
    "Often",
    "From the same",
    "As well known",
    "Because of",
)
"""What only a song that was liked or played can stand behind."""


def cause(term: str, kind: str, pk: int | str | None, stance: str, tracks: tuple[int, ...] = ()) -> StoredCause:
    return {"term": term, "kind": kind, "id": pk, "value": 1.0, "tracks": list(tracks), "stance": stance}


def reason(*causes: StoredCause) -> StoredReason:
    return {"terms": {}, "causes": list(causes)}


class TestWords:
    @pytest.mark.parametrize(
        ("term", "stance", "expected"),
        [
            ("collaborative", "liked", "Liked by people who like Nude"),
            ("collaborative", "played", "People who listen to Nude like this"),
            ("preference", "liked", "Listeners who like Nude like this"),
            ("preference", "played", "Listeners who play Nude like this"),
            ("item_to_item", "liked", "Often liked along with Nude"),
            ("ease", "played", "Often played together with Nude"),
            ("album", "liked", "From the same album as Nude"),
            ("audio", "played", "Sounds like Nude"),
            ("era", "liked", "From the same era as Nude"),
            ("audio", "disliked", "Unlike Nude, which you disliked"),
            ("era", "skipped", "Unlike Nude, which you skipped"),
            ("preference", "disliked", "Unlike Nude, which you disliked"),
            ("audio", "none", ""),
            ("mainstream", "liked", ""),
            ("mainstream", "disliked", ""),
            ("answers", "liked", ""),
        ],
    )
    def test_of_a_song(self, term: str, stance: str, expected: str) -> None:
        assert words(cause(term, "track", 1, stance), NAMES) == expected

    @pytest.mark.parametrize(
        ("kind", "pk", "stance", "tracks", "expected"),
        [
            ("artist", 7, "liked", (1, 2), "Because you like Nude by Radiohead"),
            ("artist", 7, "played", (2,), "Because you listen to Taxman by Radiohead"),
            ("artist", 7, "chosen", (), "Because you chose Radiohead"),
            ("artist", 7, "none", (), ""),
            ("artist", 8, "liked", (1,), ""),
            ("genre", 3, "liked", (9, 1), "Because you like rock, such as Nude"),
            ("genre", 3, "played", (1,), "Because you listen to rock, such as Nude"),
            ("genre", 3, "chosen", (), "Because you chose rock"),
            ("genre", 3, "liked", (9,), ""),
        ],
    )
    def test_of_an_artist_or_genre(
        self, kind: str, pk: int, stance: str, tracks: tuple[int, ...], expected: str
    ) -> None:
        assert words(cause("genre", kind, pk, stance, tracks), NAMES) == expected

    def test_of_what_is_nothing_of_the_listeners(self) -> None:
        assert words(cause("popularity", "catalogue", None, "none"), NAMES) == "Popular"
        assert words(cause("popularity", "region", "SE", "none"), NAMES) == "Popular in Sweden"
        assert words(cause("popularity", "region", "??", "none"), NAMES) == ""
        assert words(cause("preference", "listeners", None, "none"), NAMES) == "Popular on this site"

    @pytest.mark.parametrize(
        ("term", "kind", "pk", "tracks", "expected"),
        [
            ("audio", "track", 1, [], "Because of Nude"),
            ("collaborative", "track", 1, [], "Because of Nude"),
            ("mainstream", "track", 1, [], ""),
            ("artist", "artist", 7, [1], "Because of Radiohead"),
            ("artist", "artist", 7, [], "Because you chose Radiohead"),
            ("genre", "genre", 3, [1], "Because of rock"),
            ("genre", "genre", 3, [], "Because you chose rock"),
            ("popularity", "catalogue", None, [], "Popular"),
        ],
    )
    def test_an_old_record_claims_no_like(
        self, term: str, kind: str, pk: int | None, tracks: list[int], expected: str
    ) -> None:
        old: StoredCause = {"term": term, "kind": kind, "id": pk, "value": 1.0, "tracks": tracks}
        assert words(old, NAMES) == expected

    @pytest.mark.parametrize(
        ("stance", "expected"),
        [("played", "Weil du Nude von Radiohead hörst"), ("chosen", "Weil du Radiohead gewählt hast")],
    )
    def test_in_german(self, stance: str, expected: str) -> None:
        with translation.override("de"):
            assert words(cause("artist", "artist", 7, stance, (1,)), NAMES) == expected
            unlike = words(cause("audio", "track", 1, "disliked"), NAMES)
            assert unlike == "Anders als Nude, was dir nicht gefällt"


class TestSentence:
    def test_two_terms_are_told_strongest_first(self) -> None:
        causes = [cause("audio", "track", 1, "liked"), cause("audio", "track", 2, "liked")]
        causes += [cause("era", "track", 2, "played"), cause("popularity", "catalogue", None, "none")]
        assert sentence(reason(*causes), NAMES) == "Sounds like Nude · From the same era as Taxman"

    def test_a_refusal_is_told_once_and_only_where_nothing_else_can_be(self) -> None:
        causes = [cause("audio", "track", 1, "disliked"), cause("audio", "track", 2, "liked")]
        assert sentence(reason(*causes), NAMES) == "Sounds like Taxman"
        refusals = [cause("audio", "track", 1, "disliked"), cause("era", "track", 2, "skipped")]
        assert sentence(reason(*refusals), NAMES) == "Unlike Nude, which you disliked"
        assert leading_cause(reason(*refusals), NAMES) == refusals[0]
        popular = cause("popularity", "catalogue", None, "none")
        assert sentence(reason(*refusals, popular), NAMES) == "Popular"
        assert leading_cause(reason(*refusals, popular), NAMES) == popular

    def test_what_has_no_words_makes_room_for_the_next(self) -> None:
        causes = [cause("mainstream", "track", 1, "liked"), cause("artist", "artist", 99, "liked", (1,))]
        causes += [cause("popularity", "catalogue", None, "none")]
        assert sentence(reason(*causes), NAMES) == "Popular"

    def test_the_same_is_not_said_twice(self) -> None:
        causes = [cause("item_to_item", "track", 1, "liked"), cause("ease", "track", 1, "liked")]
        causes += [cause("audio", "track", 2, "liked")]
        assert sentence(reason(*causes), NAMES) == "Often liked along with Nude · Sounds like Taxman"

    def test_a_known_song_says_when_it_was_heard_and_is_not_called_new(self) -> None:
        known = reason(cause("audio", "track", 2, "liked"), cause("popularity", "catalogue", None, "none"))
        known["heard_at"] = int(datetime(2024, 5, 3, tzinfo=UTC).timestamp())
        assert sentence(known, NAMES, is_explored=True) == "Last played in May 2024 · Sounds like Taxman"
        with translation.override("de"):
            assert heard(known) == "Zuletzt gespielt im Mai 2024"
        known["heard_at"] = 0  # rated or skipped, but never heard
        assert sentence(known, NAMES, is_explored=True) == "Sounds like Taxman · Popular"
        del known["heard_at"]
        assert sentence(known, NAMES, is_explored=True) == "A new find · Sounds like Taxman"


@pytest.fixture
def tracks(db: None) -> list[Track]:
    made = make_catalogue()
    for number in range(6):
        other = make_user(f"other{number}")
        for track in made[number::3]:
            rate(user=other, track=track, value=Rating.Value.LIKE)
    call_command("retrain", verbosity=0)
    return made


@pytest.fixture
def user(db: None, client: Client) -> User:
    made = make_user(adventure=0.0)  # so that each page is certain
    client.force_login(made)
    return made


def play(user: User, track: Track, outcome: Play.Outcome, days: float = 0.0) -> None:
    Play.objects.create(user=user, track=track, outcome=outcome, played_at=timezone.now() - timedelta(days=days))


def reasons_of(user: User) -> list[str]:
    home = recommend_for_you(user=user)
    assert home is not None
    return [item.reason for section in home.sections for item in section.items]


def panels_of(user: User, client: Client) -> list[str]:
    """What the page and the panel "why" of each of its songs say."""
    reasons_of(user)
    rows = list(Recommendation.objects.filter(user=user).order_by("-pk"))
    page = rows[0].page
    urls = [reverse("recommender:why", args=[page, row.track_id]) for row in rows if row.page == page]
    answers = [client.get(url, headers={"HX-Request": "true"}) for url in urls]
    lines = [line.words for answer in answers for bar in answer.context["why"].bars for line in bar.causes]
    assert lines
    # What invites a newcomer is no reason.
    page_text = re.sub(r'<p class="panel start-offer">.*?</p>', "", client.get("/").content.decode(), flags=re.DOTALL)
    return [*lines, *reasons_of(user), page_text]


def test_after_dislikes_alone_nobody_is_said_to_like_anything(tracks: list[Track], user: User, client: Client) -> None:
    for track in tracks[:2]:
        rate(user=user, track=track, value=Rating.Value.DISLIKE)
    texts = panels_of(user, client)
    assert not [text for text in texts for claim in CLAIMS if claim in text]
    assert any(text.endswith("Unlike Song 0.0, which you disliked") for text in texts)


def test_after_skips_alone_nobody_is_said_to_like_anything(tracks: list[Track], user: User, client: Client) -> None:
    for track in (tracks[0], tracks[4], tracks[8]):
        play(user, track, Play.Outcome.SKIPPED)
    texts = panels_of(user, client)
    assert not [text for text in texts for claim in CLAIMS if claim in text]
    assert any("which you skipped" in text for text in texts)


def test_after_one_pick_and_one_dislike_the_pick_still_counts(tracks: list[Track], user: User, client: Client) -> None:
    artist = tracks[0].credits.get().artist
    ArtistPreference.objects.create(user=user, artist=artist)
    rate(user=user, track=tracks[0], value=Rating.Value.DISLIKE)
    texts = panels_of(user, client)
    assert not [text for text in texts for claim in CLAIMS if claim in text]
    assert "Because you chose Artist 0" in texts
    feed = recommend_feed(user=user, k=10)
    assert feed is not None
    first = {item.track.artist_names for item in feed.items[:2]}
    assert first == {"Artist 0"}
    taste = taste_of(user)
    assert taste is not None
    assert [(line.name, line.weight > 0) for line in (*taste.artists, *taste.genres)] == [
        ("Artist 0", True),
        ("folk", True),
    ]


def test_a_picked_genre_outlives_one_dislike_and_not_two(tracks: list[Track], user: User) -> None:
    GenrePreference.objects.create(user=user, genre=Genre.objects.get(name="folk"))
    for track, is_positive in ((tracks[0], True), (tracks[4], False)):
        rate(user=user, track=track, value=Rating.Value.DISLIKE)
        taste = taste_of(user)
        assert taste is not None
        assert [(line.name, line.weight > 0) for line in taste.genres] == [("folk", is_positive)]


def test_a_newcomer_who_picked_an_artist_gets_their_genre_too(tracks: list[Track], user: User) -> None:
    ArtistPreference.objects.create(user=user, artist=tracks[0].credits.get().artist)
    feed = recommend_feed(user=user, k=10)
    assert feed is not None
    assert {item.track.artist_names for item in feed.items[:2]} == {"Artist 0"}
    assert {item.track.genres.get().name for item in feed.items} == {"folk"}
    assert {item.reason.split(" · ")[0] for item in feed.items} == {"Because you chose Artist 0"}


def test_what_was_only_played_is_said_to_be_listened_to(tracks: list[Track], user: User, client: Client) -> None:
    play(user, tracks[0], Play.Outcome.COMPLETED)
    texts = reasons_of(user)
    assert "Because you listen to Song 0.0 by Artist 0" in " · ".join(texts)
    assert not [text for text in texts if "you like" in text]
    page = client.get("/").content.decode()
    assert "More from your artists" in page
    assert "Because you like" not in page


def test_a_song_that_comes_again_is_not_its_own_reason(user: User) -> None:
    old = make_track("Hymn", ["Star"], ["folk"], features=QUIET, album="Hymns")
    make_track("Hymn - Live", ["Star"], ["folk"], features=QUIET, album="Hymns")
    make_track("Chant", ["Star"], ["folk"], features=QUIET, album="Hymns")
    make_track("Far", ["Other"], ["techno"], features=LOUD)
    call_command("retrain", verbosity=0)
    play(user, old, Play.Outcome.COMPLETED, days=200)
    feed = recommend_feed(user=user, k=4, adventure=1.0)
    assert feed is not None
    by_title = {item.track.title: item.reason for item in feed.items}
    [again] = [title for title in by_title if title.startswith("Hymn")]
    month = (timezone.now() - timedelta(days=200)).strftime("%B %Y")
    assert by_title[again].startswith(f"Last played in {month}")
    assert "Hymn" not in by_title[again]
    assert "From the same album as Hymn" in by_title["Chant"] or "Hymn by Star" in by_title["Chant"]
    assert not by_title[again].startswith("Something new")


def test_what_does_not_count_is_known_all_the_same(tracks: list[Track], user: User) -> None:
    play(user, tracks[6], Play.Outcome.COMPLETED, days=90)
    TasteExclusion.objects.create(user=user, track=tracks[6])
    recommend_feed(user=user, k=40)
    row = Recommendation.objects.get(user=user, track=tracks[6])
    assert row.reason["heard_at"] == 0
    assert "heard_at" not in Recommendation.objects.get(user=user, track=tracks[7]).reason


def test_the_panel_and_the_api_say_what_the_page_says(tracks: list[Track], user: User, client: Client) -> None:
    rate(user=user, track=tracks[0], value=Rating.Value.LIKE)
    play(user, tracks[1], Play.Outcome.COMPLETED, days=100)
    recommend_feed(user=user, k=40)
    row = Recommendation.objects.get(user=user, track=tracks[1])
    panel = client.get(reverse("recommender:why", args=[row.page, row.track_id])).content.decode()
    month = (timezone.now() - timedelta(days=100)).strftime("%B %Y")
    assert f"Last played in {month}" in panel
    assert "Because you like Song 0.0 by Artist 0" in panel
    answer = client.get(f"/api/recommendations/{row.page}/songs/{row.track_id}").json()
    causes = [cause for term in answer["terms"] for cause in term["causes"]]
    assert {"words", "kind", "id", "stance"} == set(causes[0])
    artist = tracks[0].credits.get().artist_id
    assert ("Because you like Song 0.0 by Artist 0", "artist", artist, "liked") in {
        (cause["words"], cause["kind"], cause["id"], cause["stance"]) for cause in causes
    }


def test_an_old_record_is_shown_without_a_claim(tracks: list[Track], user: User, client: Client) -> None:
    rate(user=user, track=tracks[0], value=Rating.Value.DISLIKE)
    reasons_of(user)
    row = Recommendation.objects.filter(user=user).latest("pk")
    old = {"term": "collaborative", "kind": "track", "id": tracks[0].pk, "value": 0.4, "tracks": []}
    row.reason = {"terms": {"collaborative": 1.0}, "causes": [old]}
    row.save()
    url = reverse("recommender:why", args=[row.page, row.track_id])
    [bar] = client.get(url).context["why"].bars
    assert [(line.words, line.stance) for line in bar.causes] == [("Because of Song 0.0", "none")]


class TestVariousArtists:
    @pytest.fixture
    def hits(self, db: None) -> list[Track]:
        hits = [make_track(f"Hit {n}", ["Various Artists"], ["folk"], features=QUIET) for n in range(3)]
        make_track("Own", ["Somebody"], ["folk"], features=QUIET)
        make_track("Far", ["Else"], ["techno"], features=LOUD)
        call_command("retrain", verbosity=0)
        return hits

    def test_are_nobody_to_like(self, hits: list[Track], user: User, client: Client) -> None:
        rate(user=user, track=hits[0], value=Rating.Value.LIKE)
        texts = panels_of(user, client)
        assert not [text for text in texts[:-1] if "Various" in text]
        assert any("Because you like folk, such as Hit 0" in text for text in texts)
        taste = taste_of(user)
        assert taste is not None
        assert taste.artists == []

    def test_are_no_reason_in_an_old_record_either(self, hits: list[Track]) -> None:
        artist = Artist.objects.get(name="Various Artists")
        old = reason(cause("artist", "artist", artist.pk, "liked", (hits[0].pk,)))
        assert sentence(old, Names.of([old])) == ""

    def test_songs_that_were_heard_are_not_new(self, hits: list[Track], user: User) -> None:
        play(user, hits[0], Play.Outcome.COMPLETED, days=90)
        home = recommend_for_you(user=user, sizes={"new": 4})
        assert home is not None
        assert {item.track.title for item in home.sections[0].items} == {"Hit 1", "Hit 2", "Own", "Far"}

    def test_can_be_blocked(self, hits: list[Track], user: User) -> None:
        artist = Artist.objects.get(name="Various Artists")
        assert TrackArtist.objects.filter(artist=artist).count() == 3
        Block.objects.create(user=user, artist=artist)
        feed = recommend_feed(user=user, k=10)
        assert feed is not None
        assert [item.track.title for item in feed.items] == ["Own", "Far"]
