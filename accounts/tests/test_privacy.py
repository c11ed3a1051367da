"""The privacy page: the operator's text, and facts that follow the tables and the settings."""

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from accounts.personal_data.export import personal_tables
from accounts.personal_data.privacy import stored_facts, table_name

pytestmark = pytest.mark.django_db


def text(client: Client) -> str:
    answer = client.get(reverse("accounts:privacy"))
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_every_table_with_personal_data_is_named(client: Client) -> None:
    page = text(client)

    for table in personal_tables():
        assert table_name(table) in page
    assert sum(len(fact.tables) for fact in stored_facts()) == len(personal_tables())


def test_every_table_has_a_german_name() -> None:
    with translation.override("en"):
        english = {table.label: table_name(table) for table in personal_tables()}
    with translation.override("de"):
        german = {table.label: table_name(table) for table in personal_tables()}

    assert {label for label, name in german.items() if name == english[label]} == set()


def test_who_gets_something_follows_the_settings(client: Client, settings: Any) -> None:
    settings.SPOTIFY_CLIENT_ID = settings.EMAIL_URL = ""
    settings.SPOTIFY_PLAYER = False
    assert "Nobody. Everything stays on this site." in text(client)
    settings.SPOTIFY_CLIENT_ID, settings.SPOTIFY_PLAYER = "app", True
    settings.EMAIL_URL = "submission://mail.example.org"
    page = text(client)
    assert "open.spotify.com, sdk.scdn.co, i.scdn.co" in page
    assert "This site's mail server" in page
    settings.RECOMMENDATIONS_KEPT_DAYS = 77
    assert "77 days" in text(client)


def test_the_operators_words_stand_above_as_text(client: Client, settings: Any) -> None:
    settings.PRIVACY_TEXT = "We love <b>music</b>.\nNothing else."
    settings.PRIVACY_CONTACT = "privacy@example.org"
    answer = client.get(reverse("accounts:privacy")).content.decode()

    assert "We love &lt;b&gt;music&lt;/b&gt;.<br>Nothing else." in answer
    assert "Contact: privacy@example.org" in answer


def test_it_is_linked_from_every_page(client: Client) -> None:
    link = f'href="{reverse("accounts:privacy")}"'
    for name in ("catalog:browse", "account_login", "accounts:privacy"):
        assert link in client.get(reverse(name)).content.decode()
    client.force_login(User.objects.create_user("ada", "ada@example.org", "long-and-odd-7"))
    for name in ("recommender:home", "accounts:profile"):
        assert link in client.get(reverse(name)).content.decode()
