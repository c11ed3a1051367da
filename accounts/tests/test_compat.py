"""The private parts of django-allauth and django-ninja that accounts calls."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.core.internal.ratelimit import Rate, get_cache_key
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from ninja import NinjaAPI, Router

from accounts.compat import client_address, has_recently_confirmed, operations_of, response_of, sign_up_context
from accounts.limits.cache import without_the_future
from accounts.login.adapter import AccountAdapter
from accounts.models import User

TRIED = {"django-allauth": ("65.21",), "django-ninja": ("1.7",)}
"""Versions that the tests of accounts passed with; after an upgrade run them, then add the new one."""


@pytest.mark.parametrize("name", TRIED)
def test_the_version_was_tried(name: str) -> None:
    assert version(name).startswith(tuple(f"{tried}." for tried in TRIED[name]))


def test_addresses_of_one_network_of_ipv6_count_as_one(rf: RequestFactory) -> None:
    assert client_address(rf.get("/", REMOTE_ADDR="192.0.2.7")) == "192.0.2.7"
    assert client_address(rf.get("/", REMOTE_ADDR="2001:db8:1:2:3::4")) == "2001:db8:1:2::"


def test_rate_limits_lie_in_the_cache_where_we_look_for_them(rf: RequestFactory) -> None:
    key = get_cache_key(rf.get("/"), app="allauth.account", action="login", rate=Rate(30, 60, "ip"))
    assert without_the_future(key, [4e9, 1.0]) == [1.0]


def test_failed_log_ins_are_counted_by_our_key(rf: RequestFactory, user: User) -> None:
    # allauth would go on without our key if it called its own method by another name.
    assert callable(vars(DefaultAccountAdapter)["_get_login_attempts_cache_key"])
    adapter: Any = AccountAdapter(rf.get("/"))
    for login in ({"username": "anna"}, {"email": "anna@example.org"}):
        assert adapter._get_login_attempts_cache_key(adapter.request, **login) == f"account {user.pk}"


def test_a_password_entered_just_now_counts(rf: RequestFactory, user: User) -> None:
    request: HttpRequest = rf.get("/")
    request.session, request.user = SessionStore(), user
    assert not has_recently_confirmed(request)
    reauthenticate_by_password(request)
    assert has_recently_confirmed(request)


@pytest.mark.django_db
def test_the_sign_up_page_knows_where_to_log_in(rf: RequestFactory) -> None:
    assert sign_up_context(rf.get("/"))["login_url"] == "/accounts/login/"


def test_operations_of_routers_are_found_and_answer(rf: RequestFactory) -> None:
    api, router = NinjaAPI(urls_namespace="compat"), Router()

    @router.get("/inner", response={200: dict[str, int]})
    def inner(request: HttpRequest) -> Any: ...

    @api.post("/outer")
    def outer(request: HttpRequest) -> Any: ...

    api.add_router("/below", router)
    operations = {operation.view_func.__name__: operation for operation in operations_of(api)}
    assert set(operations) == {"inner", "outer"}
    response = response_of(operations["inner"], rf.get("/"), {"songs": 3})
    assert isinstance(response, HttpResponse)
    assert (response.status_code, response.content) == (200, b'{"songs": 3}')
