"""What the site tells its operator: a line per request, numbers for Prometheus, and whether it is well."""

import re
import time
from collections.abc import Callable
from uuid import uuid4

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client import REGISTRY as PROCESS

from accounts.models import User
from recommender.lifecycle.versions import is_warm

Answer = Callable[[HttpRequest], HttpResponseBase]
_logger = structlog.get_logger("site")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
# Asked for every few seconds by machines: no line each.
_QUIET = ("healthz", "readyz", "metrics")
_REQUESTS = Counter("site_requests", "Requests answered.", ["route", "method", "status"])
_SECONDS = Histogram("site_request_seconds", "Seconds to answer a request.", ["route"])
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def health(get_response: Answer) -> Answer:
    """Answer those who look whether the site is well before anything else: they ask by any host, without HTTPS."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        view = _HEALTH.get(request.path_info)
        return view(request) if view else get_response(request)

    return middleware


def observe(get_response: Answer) -> Answer:
    """Give each request an id, which all its log lines and its answer carry; count and time it by its route."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get("X-Request-ID", "")
        # From a proxy of ours alone: anybody else could write into the logs with it.
        is_ours = bool(settings.ALLAUTH_TRUSTED_PROXY_COUNT) and _REQUEST_ID.fullmatch(sent)
        request_id = sent if is_ours else uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        start = time.perf_counter()
        response = get_response(request)
        response["X-Request-ID"] = request_id
        _note(request, response.status_code, time.perf_counter() - start)
        return response

    return middleware


def _note(request: HttpRequest, status: int, seconds: float) -> None:
    match = request.resolver_match
    # The route, such as songs/<int:pk>/, and never the path: that would name rows, keys and words.
    route = (match.route or "/") if match else _HEALTH_ROUTES.get(request.path_info, "none")
    method = request.method if request.method in _METHODS else "other"
    _REQUESTS.labels(route, method, str(status)).inc()
    _SECONDS.labels(route).observe(seconds)
    if route not in _QUIET:
        _logger.info("request", route=route, method=method, status=status, ms=round(seconds * 1000, 1))


@require_safe
@never_cache
def alive(_request: HttpRequest) -> HttpResponse:
    """Report that this process responds."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """Report whether requests can be served: database, cache, migrations and warm-up; 503 if not."""
    checks = {name: _passes(check) for name, check in _CHECKS.items()}
    return JsonResponse(
        {name: "ok" if is_ok else "failed" for name, is_ok in checks.items()},
        status=200 if all(checks.values()) else 503,
    )


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Serve Prometheus metrics to staff and to clients that send ``METRICS_TOKEN``."""
    if not _may_see_metrics(request):
        raise Http404
    registry = PROCESS
    if settings.PROMETHEUS_DIR:
        # Several workers write into one folder; each would know but its own requests.
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, path=settings.PROMETHEUS_DIR)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_see_metrics(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.METRICS_TOKEN}"
    if settings.METRICS_TOKEN and constant_time_compare(request.headers.get("Authorization", ""), expected):
        return True
    return isinstance(request.user, User) and request.user.may_operate


def _passes(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:
        _logger.exception("not ready")
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _cache() -> bool:
    # Only read: the cache may be the database, where a held write lock stops no page.
    cache.get("ready")
    return True


def _migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


_CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "cache": _cache,
    "migrations": _migrations,
    "warm": is_warm,
}
_HEALTH_ROUTES = {"/healthz": "healthz", "/readyz": "readyz"}
_HEALTH: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {"/healthz": alive, "/readyz": ready}
