"""Rate limits of pages and calls: they hold across workers, say when to come back, and keep no address."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.limits.limiter import Limit, wait_seconds
from accounts.models import RateCount
from feedback.ratings.models import Rating
from feedback.tests.factories import UserFactory, make_track


@pytest.mark.django_db
def test_a_burst_then_one_at_a_time() -> None:
    limit = Limit("test", 3)

    assert [wait_seconds(limit, "ada") for _ in range(4)] == [0, 0, 0, 20]
    assert wait_seconds(limit, "bob") == 0
    # Seven seconds before the next turn.
    RateCount.objects.update(tat=RateCount.objects.order_by("-tat")[0].tat - 13_000)
    assert wait_seconds(limit, "ada") == 7
    RateCount.objects.update(tat=RateCount.objects.order_by("-tat")[0].tat - 7_000)
    assert [wait_seconds(limit, "ada") for _ in range(2)] == [0, 20]


@pytest.mark.django_db
def test_none_means_none() -> None:
    assert [wait_seconds(Limit("test", 0), "ada") for _ in range(50)] == [0] * 50
    assert not RateCount.objects.exists()


@pytest.mark.django_db
def test_counts_of_callers_long_gone_are_cleared_as_new_ones_come_and_by_nobody_else() -> None:
    limit = Limit("test", 5)
    gone, here = RateCount(key="gone", tat=1), RateCount(key="here", tat=2**52)
    RateCount.objects.bulk_create([gone, here])
    assert wait_seconds(limit, "ada") == 0
    with CaptureQueriesContext(connection) as known:
        assert wait_seconds(limit, "ada") == 0
    assert len(known) == 1

    for number in range(3000):
        if not RateCount.objects.filter(key="gone").exists():
            break
        assert wait_seconds(limit, f"caller {number}") == 0
    assert not RateCount.objects.filter(key="gone").exists()
    assert RateCount.objects.filter(key="here").exists()


@pytest.mark.django_db
def test_a_count_that_another_worker_begins_at_the_same_moment_turns_nobody_away() -> None:
    limit = Limit("test", 5)
    left, answers = [1], []

    def another_is_quicker(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("UPDATE") and left:
            left.clear()
            answers.append(wait_seconds(limit, "ada"))
        return result

    with connection.execute_wrapper(another_is_quicker):
        answers.append(wait_seconds(limit, "ada"))
    assert answers == [0, 0]


@pytest.mark.django_db(transaction=True)
def test_two_workers_cannot_both_take_the_last_turn() -> None:
    limit, start = Limit("test", 5), threading.Barrier(4)
    allowed: list[bool] = []

    def worker() -> None:
        start.wait(timeout=120)
        allowed.extend(wait_seconds(limit, "ada") == 0 for _ in range(5))
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert len(allowed) == 20
    assert sum(allowed) == 5


@pytest.mark.django_db
def test_search_and_clicks_are_limited_on_pages(client: Client, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "search": 2, "feedback": 2}
    track = make_track("Etude")
    answers = [client.get("/search/", {"q": "x"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 30
    assert "wait a moment" in answers[-1].content.decode()
    client.force_login(UserFactory())
    codes = [client.post(f"/songs/{track.pk}/rate/", {"value": value}).status_code for value in ("1", "-1", "1")]
    assert codes == [302, 302, 429]
    assert Rating.objects.get().value == -1


@pytest.mark.django_db
@pytest.mark.parametrize(("proxies", "is_fooled"), [(0, False), (1, False)])
def test_a_forged_header_is_nobody_else(client: Client, settings: Any, proxies: int, is_fooled: bool) -> None:
    """What a client writes into X-Forwarded-For stands before what our proxy appends."""
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "search": 2}
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    codes = [
        client.get("/search/", {"q": "x"}, headers={"X-Forwarded-For": f"10.9.9.{number}, 192.0.2.1"}).status_code
        for number in range(3)
    ]
    assert (codes == [200, 200, 200]) is is_fooled
    assert codes[-1] == 429


@pytest.mark.django_db
def test_fewer_proxies_than_expected_is_no_failure_here(client: Client, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    assert client.get("/search/", {"q": "x"}, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 200
    assert (
        client.post("/accounts/login/", {"login": "a", "password": "b"}, headers={"X-Forwarded-For": "x"}).status_code
        < 500
    )


@pytest.mark.django_db
def test_no_address_is_kept(client: Client) -> None:
    client.get("/search/", {"q": "x"}, REMOTE_ADDR="192.0.2.77")
    assert RateCount.objects.count() == 1
    assert "192.0.2.77" not in RateCount.objects.get().key
