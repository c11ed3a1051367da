"""A month before a connection expires: a line on every page, and an email to those who said yes."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.reminders import KIND
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.tests.worlds import connected
from jobs import services
from jobs.tests.helpers import run_waiting


def age(days: int) -> None:
    SpotifyAccount.objects.update(authorised_at=timezone.now() - timedelta(days=days))


def remind() -> None:
    services.enqueue(kind=KIND.name)
    run_waiting()


@pytest.mark.parametrize(("days", "is_said"), [(149, False), (151, True)])
def test_every_page_says_so_in_the_last_month(
    client: Client, ada: User, sandbox: SandboxServer, days: int, is_said: bool
) -> None:
    connected(ada, sandbox)
    age(days)
    client.force_login(ada)

    for name in ("recommender:home", "feedback:ratings", "accounts:privacy"):
        assert (b'id="spotify-expiry"' in client.get(reverse(name)).content) is is_said
    client.logout()
    assert b'id="spotify-expiry"' not in client.get(reverse("accounts:privacy")).content


def test_only_those_who_said_yes_get_one_email(client: Client, ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    age(151)
    remind()
    assert mail.outbox == []

    client.force_login(ada)
    page = client.post(reverse("spotify_reminder"), {"wants_email": "on"}, follow=True).content.decode()
    assert "We&#x27;ll email you a month before." in page
    remind()
    remind()

    (message,) = mail.outbox
    assert (message.to, message.subject) == (["ada@example.org"], "Your Spotify connection expires soon")
    assert "Reconnect in your profile." in message.body

    # Connected anew, the next one comes in five months.
    connected(ada, sandbox)
    remind()
    assert len(mail.outbox) == 1
    age(151)
    client.post(reverse("spotify_reminder"), {})
    remind()
    assert len(mail.outbox) == 1


def test_it_is_not_sent_early(ada: User, sandbox: SandboxServer) -> None:
    connected(ada, sandbox)
    SpotifyAccount.objects.update(wants_email=True)
    age(149)
    remind()

    assert mail.outbox == []
