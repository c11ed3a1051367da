"""Deleting one's account. What goes from the tables above is tested in `tests/test_account_deletion.py`."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.forms import DeleteAccountForm
from accounts.models import User
from accounts.tests.conftest import PASSWORD

URL = "/profile/delete/"


def test_anonymous_visitors_log_in_first(client: Client, db: None) -> None:
    assert client.post(URL)["Location"] == "/accounts/login/?next=/profile/delete/"


def test_page_asks_for_the_password_and_deletes_nothing(listener: Client, user: User) -> None:
    html = listener.get(URL).content.decode()
    assert 'autocomplete="current-password"' in html
    assert User.objects.filter(pk=user.pk).exists()


def test_wrong_or_no_password_deletes_nothing(listener: Client, user: User) -> None:
    for answers in ({"password": "wrong"}, {}):
        answer = listener.post(URL, answers)
        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == ["password"]
    assert User.objects.filter(pk=user.pk).exists()


def test_account_goes_with_its_sessions_and_others_stay(listener: Client, user: User, other: User) -> None:
    elsewhere, others, anonymous = Client(), Client(), Client()
    elsewhere.force_login(user)
    others.force_login(other)
    anonymous.session.save()
    answer = listener.post(URL, {"password": PASSWORD}, follow=True)
    assert "deleted" in answer.content.decode()
    assert list(User.objects.all()) == [other]
    theirs = [session.get_decoded().get("_auth_user_id") for session in Session.objects.all()]
    assert str(user.pk) not in theirs
    assert str(other.pk) in theirs
    assert elsewhere.get("/profile/").status_code == 302
    assert others.get("/profile/").status_code == 200


def test_guessing_the_password_is_limited(listener: Client, user: User) -> None:
    codes = [listener.post(URL, {"password": "wrong"}).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]
    assert listener.post(URL, {"password": PASSWORD}).status_code == 429
    assert User.objects.filter(pk=user.pk).exists()


def test_csrf_is_enforced(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post(URL, {"password": PASSWORD}).status_code == 403
    assert User.objects.filter(pk=user.pk).exists()


def test_of_two_deletions_at_once_the_first_wins_and_the_other_is_told(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_valid(form: DeleteAccountForm) -> bool:
        # The other one is quicker, between the check of the password and the deletion.
        User.objects.filter(pk=form.user.pk).delete()
        return True

    page, call = Client(), Client()
    page.force_login(user)
    monkeypatch.setattr(DeleteAccountForm, "is_valid", is_valid)
    answer = page.post(URL, {"password": PASSWORD}, follow=True)
    assert answer.status_code == 200
    assert "already been deleted" in answer.content.decode()
    other = User.objects.create_user("other", "other@example.org", PASSWORD)
    call.force_login(other)
    answer = call.delete("/api/user", {"password": PASSWORD}, "application/json")
    assert answer.status_code == 401
    assert "already been deleted" in answer.json()["detail"]
