"""Weekly lists on pages, in feeds as a reader library follows them, and in emails as a mail server receives them."""

import email
import json
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any

import feedparser  # type: ignore[import-untyped]
import pytest
import time_machine
from aiosmtpd.controller import Controller
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from catalog.models import Track
from feedback.playlists.models import Playlist
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.models import Recommendation, WeeklyEmail, WeeklyFeed, WeeklyList
from recommender.tests.builders import make_user
from recommender.tests.weekly.runs import hear, run_job
from recommender.weekly.selectors import track_ids

pytestmark = pytest.mark.django_db
FOLLOW = "/week/follow/"


class Mailbox:
    """A mail server that keeps what it receives."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.is_refusing = False
        self.refused: set[str] = set()

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.is_refusing or address in self.refused:
            return "550 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    """Return a real SMTP server on this machine, which the site sends its emails to."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_URL, settings.EMAIL_HOST = "smtp://127.0.0.1", "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield box
    server.stop()


@pytest.fixture
def listener(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def confirm(user: User) -> None:
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def addresses(answer: Any) -> tuple[str, str]:
    """Return the feed's addresses, of which the page tells the whole once."""
    found_urls = re.findall(r'value="http://testserver(/week/feed/[^"]+)"', answer.content.decode())
    assert len(found_urls) == 2
    return found_urls[0], found_urls[1]


def test_the_shelf_is_on_for_you_from_the_first_list_on(listener: Client, user: User) -> None:
    assert "week-card" not in listener.get("/").content.decode()
    assert "No list yet" in listener.get("/week/").content.decode()
    run_job()
    page = listener.get("/").content.decode()
    card = page.partition('<section class="week-card"')[2].partition("</section>")[0]
    made = WeeklyList.objects.get()
    assert "Your week, 30 Nov" in card
    assert "30 songs. We expect you to like or finish about 15. That's a starting value." in card
    assert f'data-play-list="{",".join(map(str, track_ids(made)))}"' in card
    assert Recommendation.objects.filter(page=made.page, is_shown=True).count() == 0


def test_an_old_list_is_no_longer_on_for_you(
    listener: Client, user: User, clock: time_machine.Traveller, settings: Settings
) -> None:
    run_job()
    settings.WEEKLY_LIST_DAY = ""
    clock.shift(timedelta(days=9))
    listener.force_login(user)
    assert "week-card" not in listener.get("/").content.decode()


def test_the_page_has_songs_reasons_expectation_and_result(listener: Client, user: User) -> None:
    run_job()
    made = WeeklyList.objects.get()
    assert listener.head(made.get_absolute_url()).status_code == 200
    made.refresh_from_db()
    assert made.seen_at is None
    page = listener.get("/week/", follow=True).content.decode()
    assert page.count('class="track-row"') == 30
    assert "Because you like Song 0." in page
    assert "If you hear them all, we expect you to like or finish about 15 of 30 songs." in page
    assert "You haven't heard any of these songs yet." in page
    assert Recommendation.objects.filter(page=made.page, is_shown=True).count() == 30
    liked = hear(user, made, likes=lambda track: track.genres.filter(name="folk").exists(), songs=10)
    page = listener.get(made.get_absolute_url()).content.decode()
    assert f"You've heard 10 songs. We expected you to like or finish 5 of them, and it was {liked}." in page
    assert page.count('<rect class="bar"') == 1


def test_a_list_whose_week_is_over_says_so(listener: Client, user: User, clock: time_machine.Traveller) -> None:
    run_job()
    made = WeeklyList.objects.get()
    clock.shift(timedelta(days=8))
    run_job()
    listener.force_login(user)
    page = listener.get(made.get_absolute_url()).content.decode()
    assert "We expected you to like or finish about 15 of 30 songs." in page
    assert "You heard none of these songs in those 7 days." in page


def test_a_song_that_went_is_still_named(listener: Client, user: User) -> None:
    run_job()
    made = WeeklyList.objects.get()
    first, second = made.songs.select_related("track")[:2]
    assert first.track is not None
    first.track.delete()
    Track.objects.filter(pk=second.track_id).update(is_active=False)
    page = listener.get(made.get_absolute_url()).content.decode()
    assert page.count("not in the catalogue any more") == 2
    assert f"{first.name} · {first.artists}" in page
    assert page.count('class="track-row"') == 28


def test_a_list_is_saved_and_downloaded_like_a_playlist(listener: Client, user: User) -> None:
    run_job()
    made = WeeklyList.objects.get()
    address = reverse("recommender:week_save", args=[made.pk])
    assert listener.get(address).status_code == 405
    answer = listener.post(address)
    playlist = Playlist.objects.get()
    assert answer["Location"] == playlist.get_absolute_url()
    assert playlist.name == "Your week, 30 Nov"
    items = playlist.items.order_by("position").values_list("track_id", flat=True)
    assert list(items) == track_ids(made)
    for kind, mark in (
        ("m3u", "#PLAYLIST:Your week, 30 Nov"),
        ("jspf", '"title": "Your week, 30 Nov"'),
        ("csv", "title,"),
    ):
        file = listener.get(reverse("recommender:week_export", args=[made.pk, kind]))
        assert mark in file.getvalue().decode()
        assert f"your-week-30-nov.{kind.replace('m3u', 'm3u8')}" in file["Content-Disposition"]


def test_another_listeners_list_is_not_found(listener: Client, user: User) -> None:
    run_job()
    made = WeeklyList.objects.get()
    listener.force_login(make_user("other"))
    paths = [reverse(f"recommender:{name}", args=[made.pk]) for name in ("week", "week_save")]
    assert listener.get(paths[0]).status_code == listener.post(paths[1]).status_code == 404
    assert listener.get(f"/week/{made.pk}.csv").status_code == 404
    assert listener.get(f"/api/user/weeks/{made.pk}").status_code == 404


def test_the_calls_tell_the_same(listener: Client, user: User) -> None:
    run_job()
    made = WeeklyList.objects.get()
    hear(user, made, likes=lambda _track: True, songs=2)
    (row,) = listener.get("/api/user/weeks").json()["items"]
    wanted = {"id": made.pk, "title": "Your week, 30 Nov", "week": "2026-11-30", "song_count": 30, "expected": 15.0}
    wanted |= {"basis": "prior", "answers": 0, "heard": 2, "expected_of_heard": 1.0, "succeeded": 2}
    assert {name: row[name] for name in wanted} == wanted
    content = listener.get(f"/api/user/weeks/{made.pk}").json()
    assert [item["song"]["id"] for item in content["items"]] == track_ids(made)
    assert {item["probability"] for item in content["items"]} == {0.5}


def test_a_feed_reader_follows_the_lists(listener: Client, user: User, clock: time_machine.Traveller) -> None:
    assert listener.get(FOLLOW).status_code == 200
    assert not WeeklyFeed.objects.exists()
    atom_url, json_url = addresses(listener.post(FOLLOW))
    assert atom_url.rsplit("/", 2)[1] not in str(WeeklyFeed.objects.values())
    assert 'value="http://testserver/week/feed' not in listener.get(FOLLOW).content.decode()
    reader = Client()
    empty = feedparser.parse(reader.get(atom_url).content)
    assert (empty.bozo, empty.version, empty.entries) == (False, "atom10", [])
    run_job()
    clock.shift(timedelta(days=7))
    run_job()
    answer = reader.get(atom_url)
    feed = feedparser.parse(answer.content, response_headers={name.lower(): value for name, value in answer.items()})
    newest, oldest = WeeklyList.objects.all()
    assert (feed.bozo, feed.feed.title, feed.feed.id) == (False, "Your weeks on Earworm", empty.feed.id)
    assert [entry.title for entry in feed.entries] == ["Your week, 7 Dec", "Your week, 30 Nov"]
    assert [entry.id for entry in feed.entries] == [f"urn:uuid:{newest.page}", f"urn:uuid:{oldest.page}"]
    assert feed.entries[1].summary.count("<li>") == 30
    assert feed.entries[0].link == f"http://testserver{newest.get_absolute_url()}"
    assert user.username not in answer.content.decode()
    assert user.email not in answer.content.decode()
    assert (answer["X-Robots-Tag"], answer["Cache-Control"]) == ("noindex, nofollow", "private, no-cache")
    assert not answer.cookies
    content = json.loads(reader.get(json_url).content)
    # https://www.jsonfeed.org/version/1.1/: version, title and items are required, and of an item its id and content.
    assert content["version"] == "https://jsonfeed.org/version/1.1"
    assert content["title"] == "Your weeks on Earworm"
    assert content["feed_url"] == f"http://testserver{json_url}"
    assert all({"id", "content_html", "url", "title", "date_published"} <= set(item) for item in content["items"])
    assert [item["id"] for item in content["items"]] == [entry.id for entry in feed.entries]


def test_a_feed_that_has_not_changed_is_not_sent_again(listener: Client, user: User) -> None:
    for address in addresses(listener.post(FOLLOW)):
        reader = Client()
        first = reader.get(address)
        again = reader.get(address, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        WeeklyList.objects.all().delete()
        run_job()
        changed = reader.get(address, headers={"If-None-Match": first["ETag"]})
        assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)


def test_a_feed_costs_the_same_for_one_list_and_ten(
    listener: Client, user: User, clock: time_machine.Traveller
) -> None:
    atom_url, _json_url = addresses(listener.post(FOLLOW))
    counts = []
    Client().get(atom_url)  # The first request of an address makes its rate count.
    for _week in range(3):
        run_job()
        with CaptureQueriesContext(connection) as captured:
            Client().get(atom_url)
        counts.append(len(captured))
        clock.shift(timedelta(days=7))
    assert len(set(counts)) == 1


def test_a_new_address_ends_the_old_one_and_a_deleted_feed_is_gone(listener: Client, user: User) -> None:
    old, _json = addresses(listener.post(FOLLOW))
    feed_id = WeeklyFeed.objects.get().feed_id
    new, _json = addresses(listener.post(FOLLOW))
    assert [Client().get(address).status_code for address in (old, new)] == [404, 200]
    assert WeeklyFeed.objects.get().feed_id == feed_id
    user.is_active = False
    user.save()
    assert Client().get(new).status_code == 404
    user.is_active = True
    user.save()
    assert listener.get("/week/follow/end/").status_code == 405
    listener.post("/week/follow/end/")
    assert Client().get(new).status_code == 404


def test_no_email_without_a_yes_a_confirmed_address_and_a_mail_server(
    listener: Client, user: User, mailbox: Mailbox, settings: Settings
) -> None:
    assert run_job() == "1 lists made, 0 judged, 0 emails sent"
    listener.post("/week/follow/email/", {"on": "1"})
    assert not WeeklyEmail.objects.exists()
    confirm(user)
    settings.EMAIL_URL = ""
    listener.post("/week/follow/email/", {"on": "1"})
    assert not WeeklyEmail.objects.exists()
    settings.EMAIL_URL = "smtp://127.0.0.1"
    listener.post("/week/follow/email/", {"on": "1"})
    assert WeeklyEmail.objects.get().origin == "http://testserver"
    EmailAddress.objects.update(verified=False)
    assert run_job() == "0 lists made, 0 judged, 0 emails sent"
    assert mailbox.messages == []


def test_the_page_says_what_keeps_the_emails_away(
    listener: Client, user: User, mailbox: Mailbox, settings: Settings
) -> None:
    note = f"We send lists only to a confirmed address, and {user.email} isn&#x27;t confirmed yet."
    way = '<a href="/accounts/email/">Confirm your email address</a>'
    answer = listener.post("/week/follow/email/", {"on": "1"}, follow=True).content.decode()
    assert "Nothing has changed, because your email address isn&#x27;t confirmed yet." in answer
    assert note.replace("&#x27;", "'") in answer
    assert way in answer
    assert "Send me emails" not in answer
    confirm(user)
    wanted = listener.post("/week/follow/email/", {"on": "1"}, follow=True).content.decode()
    assert "You&#x27;ll get each new list by email." in wanted
    assert way not in wanted
    # The operator gave the account another address meanwhile.
    EmailAddress.objects.update(verified=False)
    page = listener.get("/week/follow/").content.decode()
    assert way in page
    assert "Each new list goes to" not in page
    assert "Stop emails" in page
    settings.EMAIL_URL = ""
    refused = listener.post("/week/follow/email/", {"on": "1"}, follow=True).content.decode()
    assert "This site sends no emails." in refused


def test_the_email_as_a_mail_server_receives_it(
    listener: Client, user: User, mailbox: Mailbox, clock: time_machine.Traveller
) -> None:
    confirm(user)
    listener.post("/week/follow/email/", {"on": "1"})
    assert run_job() == "1 lists made, 0 judged, 1 emails sent"
    assert run_job() == "0 lists made, 0 judged, 0 emails sent"
    (message,) = mailbox.messages
    made = WeeklyList.objects.get()
    assert (message["Subject"], message["To"]) == ("[Earworm] Your week, 30 Nov", user.email)
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    for content in (text, html):
        assert content.count("Artist ") == 30
        assert f"http://testserver{made.get_absolute_url()}" in content
        assert user.username not in content
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    end_url = message["List-Unsubscribe"].strip().strip("<>")
    assert end_url in text
    assert end_url in html
    stranger = Client(enforce_csrf_checks=True)
    shown = stranger.get(end_url)
    assert (shown.status_code, shown.cookies, WeeklyEmail.objects.count()) == (200, {}, 1)
    assert "Do you want to stop getting your week by email?" in shown.content.decode()
    ended = stranger.post(end_url, {"List-Unsubscribe": "One-Click"})
    assert (ended.status_code, WeeklyEmail.objects.count()) == (200, 0)
    assert stranger.post(end_url).status_code == 200
    assert stranger.post(end_url.replace("/week/email/", "/week/email/x")).status_code == 404
    clock.shift(timedelta(days=7))
    assert run_job() == "1 lists made, 0 judged, 0 emails sent"


def test_the_email_speaks_the_language_in_which_it_was_wanted(listener: Client, user: User, mailbox: Mailbox) -> None:
    confirm(user)
    listener.post("/week/follow/email/", {"on": "1"}, headers={"Accept-Language": "de"})
    run_job()
    (message,) = mailbox.messages
    assert message["Subject"] == "[Earworm] Deine Woche, 30. Nov."


def test_an_email_is_sent_at_most_once(listener: Client, user: User, mailbox: Mailbox, settings: Settings) -> None:
    confirm(user)
    listener.post("/week/follow/email/", {"on": "1"})
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    assert run_job() == "1 lists made, 0 judged, 0 emails sent"
    assert WeeklyList.objects.get().emailed_at is None  # No connection: the next night tries again.
    settings.EMAIL_PORT, mailbox.is_refusing = port, True
    assert run_job() == "0 lists made, 0 judged, 0 emails sent"
    assert WeeklyList.objects.get().emailed_at is not None  # It was handed over, so it is not sent again.
    mailbox.is_refusing = False
    assert run_job() == "0 lists made, 0 judged, 0 emails sent"
    assert mailbox.messages == []


@pytest.mark.parametrize("address", ["listener@example.org", f"listener@{'ü' * 60}.org"])
def test_an_address_that_is_refused_ends_only_its_own_email(
    listener: Client, user: User, mailbox: Mailbox, address: str
) -> None:
    user.email = address
    user.full_clean()
    user.save()
    confirm(user)
    listener.post("/week/follow/email/", {"on": "1"})
    other = make_user("bea")
    rate(user=other, track=Track.objects.all()[0], value=Rating.Value.LIKE)
    confirm(other)
    client = Client()
    client.force_login(other)
    client.post("/week/follow/email/", {"on": "1"})
    mailbox.refused = {user.email}
    assert run_job() == "2 lists made, 0 judged, 1 emails sent"
    assert [message["To"] for message in mailbox.messages] == ["bea@example.org"]


def test_the_export_has_the_lists_and_no_token(listener: Client, user: User) -> None:
    addresses(listener.post(FOLLOW))
    run_job()
    content = json.loads(b"".join(listener.get("/profile/data/everything.json").streaming_content))  # type: ignore[attr-defined]
    assert len(content["recommender.WeeklySong"]) == 30
    assert content["recommender.WeeklyFeed"][0]["digest"] == "(kept secret)"
    user.delete()
    assert not WeeklyList.objects.exists()
    assert not WeeklyFeed.objects.exists()


def test_a_rated_song_of_the_list_is_not_recommended_again(listener: Client, user: User) -> None:
    run_job()
    made = WeeklyList.objects.get()
    song = made.songs.select_related("track")[0].track
    assert song is not None
    rate(user=user, track=song, value=Rating.Value.DISLIKE)
    page = listener.get("/").content.decode().partition('id="feed"')[2]
    assert f'id="track-{song.pk}"' not in page
