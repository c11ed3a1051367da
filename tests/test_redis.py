"""Cache and rate limits on Redis, where there is one (TEST_REDIS_URL)."""

import ast
import os
import threading
import uuid
from typing import Any

import pytest
from django.core.cache.backends.redis import RedisCache
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError

from accounts.limits.limiter import Limit, wait_seconds
from accounts.models import RateCount
from conftest import missing
from tests.test_settings import read_settings

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="session")
def redis_url() -> str:
    url = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
    try:
        Redis.from_url(url, socket_connect_timeout=20).ping()
    except RedisError:
        missing(f"no Redis at {url} (TEST_REDIS_URL)", required_by="REQUIRE_REDIS")
    return url


@pytest.fixture
def caller() -> str:
    """Somebody nobody else counts."""
    return uuid.uuid4().hex


@pytest.mark.django_db
def test_a_burst_then_one_at_a_time(redis_url: str, caller: str, settings: Any) -> None:
    settings.REDIS_URL = redis_url
    limit = Limit("test", 3)

    assert [wait_seconds(limit, caller) for _ in range(4)] == [0, 0, 0, 20]
    assert wait_seconds(limit, f"{caller} too") == 0
    assert not RateCount.objects.exists()


@pytest.mark.django_db
def test_what_is_whole_again_is_forgotten(redis_url: str, caller: str, settings: Any) -> None:
    settings.REDIS_URL = redis_url
    redis = Redis.from_url(redis_url)
    before = set(redis.scan_iter("limit:*", count=1000))

    wait_seconds(Limit("test", 3), caller)

    (key,) = set(redis.scan_iter("limit:*", count=1000)) - before
    assert 19_000 < redis.pttl(key) <= 20_000


@pytest.mark.django_db
def test_two_workers_cannot_both_take_the_last_turn(redis_url: str, caller: str, settings: Any) -> None:
    settings.REDIS_URL = redis_url
    limit, start = Limit("test", 5), threading.Barrier(4)
    allowed: list[bool] = []

    def worker() -> None:
        start.wait(timeout=120)
        allowed.extend(wait_seconds(limit, caller) == 0 for _ in range(5))
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert (len(allowed), sum(allowed)) == (20, 5)


@pytest.mark.django_db
def test_without_it_limits_hold_all_the_same(caller: str, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_URL = NOWHERE

    assert [wait_seconds(Limit("test", 3), caller) for _ in range(4)] == [0, 0, 0, 20]
    assert RateCount.objects.count() == 1
    assert {record.name for record in caplog.records} == {"accounts.limits.limiter"}


def test_the_cache_is_kept_there(redis_url: str, caller: str) -> None:
    cache_settings = ast.literal_eval(read_settings("CACHES", REDIS_URL=redis_url)[0])["default"]
    assert (cache_settings["BACKEND"], cache_settings["LOCATION"]) == ("accounts.limits.cache.RedisCache", redis_url)
    cache = RedisCache(redis_url, {"KEY_PREFIX": caller})
    cache.set("tiles", [1, 2], 10)
    assert cache.get("tiles") == [1, 2]
    cache.delete("tiles")
