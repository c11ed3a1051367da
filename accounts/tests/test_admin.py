"""Administration of listeners."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from accounts.tests.conftest import PASSWORD

URL = "/admin/accounts/user/"


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", PASSWORD))
    return client


def test_list_and_search(operator: Client, user: User) -> None:
    assert operator.get(URL, {"q": "anna@"}).context["cl"].result_count == 1


def test_add_lowers_the_name_and_hashes_the_password(operator: Client) -> None:
    answers = {
        "username": "Clara",
        "email": "Clara@example.org",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert operator.get(f"{URL}add/").status_code == 200
    assert operator.post(f"{URL}add/", answers).status_code == 302
    clara = User.objects.get(username="clara")
    assert clara.email == "clara@example.org"
    assert clara.check_password(PASSWORD)


def test_change_of_the_address_goes_to_both_tables(operator: Client, user: User) -> None:
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    page = operator.get(f"{URL}{user.pk}/change/")
    assert page.status_code == 200
    answers = {"username": "anna", "email": "anna@new.example", "region": "", "adventure": "0.3", "is_active": "on"}
    assert operator.post(f"{URL}{user.pk}/change/", answers).status_code == 302
    user.refresh_from_db()
    assert user.email == "anna@new.example"
    assert list(EmailAddress.objects.filter(user=user).values_list("email", flat=True)) == ["anna@new.example"]


def test_two_accounts_cannot_differ_by_case_alone(operator: Client, user: User) -> None:
    answers = {
        "username": "ANNA",
        "email": "ANNA@example.org",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    answer = operator.post(f"{URL}add/", answers)
    assert set(answer.context["adminform"].form.errors) == {"username", "email"}
