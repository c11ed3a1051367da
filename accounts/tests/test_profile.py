"""The profile."""

import pytest
from django.test import Client

from accounts.models import User

URL = "/profile/"


def test_anonymous_visitors_log_in_first(client: Client, db: None) -> None:
    assert client.get(URL)["Location"] == "/accounts/login/?next=/profile/"


def test_page_shows_what_is_set_and_where_to_change_the_rest(listener: Client, user: User) -> None:
    User.objects.update(region="NO", adventure=0.75, explicit_allowed=False)
    html = listener.get(URL).content.decode()
    assert '<option value="NO" selected>' in html
    slider = html.split('type="range"', 1)[1].split(">", 1)[0]
    for attribute in ('min="0"', 'max="1"', 'value="0.75"'):
        assert attribute in slider
    assert "checked" not in html.split('name="explicit_allowed"', 1)[1].split(">", 1)[0]
    for link in ("/accounts/email/", "/accounts/password/change/", "/profile/delete/", "/start/"):
        assert f'href="{link}"' in html


def test_answers_are_saved(listener: Client, user: User) -> None:
    answer = listener.post(URL, {"region": "SE", "adventure": "1"}, follow=True)
    user.refresh_from_db()
    assert (user.region, user.adventure, user.explicit_allowed) == ("SE", 1.0, False)
    assert "Profile saved." in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("adventure", "1.5"), ("adventure", "-0.1"), ("adventure", "nan"), ("region", "XX")]
)
def test_bad_answers_change_nothing(listener: Client, user: User, field: str, value: str) -> None:
    answer = listener.post(URL, {"region": "SE", "adventure": "0.5", field: value})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in answer.content.decode()
    user.refresh_from_db()
    assert (user.region, user.adventure) == ("", 0.3)


def test_only_the_own_three_columns_can_be_set(listener: Client, user: User) -> None:
    listener.post(URL, {"adventure": "0.5", "is_staff": "on", "email": "x@example.org", "username": "root"})
    user.refresh_from_db()
    assert (user.is_staff, user.email, user.username) == (False, "anna@example.org", "anna")


def test_csrf_is_enforced(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post(URL, {"adventure": "1"}).status_code == 403
