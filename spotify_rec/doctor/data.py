"""Checks of the database, its content and its workers."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from jobs.heartbeat import last_heartbeat
from jobs.models import Job
from spotify_rec.doctor.findings import Finding, broken, look, ok

# Seconds by which two clocks may differ, and by which what was written may seem to lie ahead.
CLOCK_SECONDS = 60.0


def database() -> Finding:
    """See whether the database answers, is up to date, and is set as the site needs it."""
    with connection.cursor() as cursor:
        text = _DESCRIBED[connection.vendor](cursor)
    executor = MigrationExecutor(connection)
    if count := len(executor.migration_plan(executor.loader.graph.leaf_nodes())):
        return broken("database", f"{text}; {count} migrations are missing", "run `manage.py migrate`, or `serve`")
    return _SETTING.get(connection.vendor, lambda described: ok("database", described))(text)


def _of_sqlite(cursor: Any) -> str:
    cursor.execute("SELECT sqlite_version()")
    return f"SQLite {cursor.fetchone()[0]}, {connection.settings_dict['NAME']}"


def _of_server(cursor: Any) -> str:
    cursor.execute("SELECT version()")
    version = str(cursor.fetchone()[0]).split(" on ")[0]
    configured = connection.settings_dict
    return f"{connection.display_name} {version}, {configured['NAME']} at {configured['HOST'] or 'this machine'}"


def journal(text: str) -> Finding:
    """See whether SQLite keeps a write-ahead log. text: what the database is."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        mode = str(cursor.fetchone()[0])
    if mode not in ("wal", "memory"):
        advice = "readers wait for writers: keep the file on a local disk, and set no journal_mode in DATABASE_URL"
        return look("database", f"{text}, journal mode {mode} rather than WAL", advice)
    return ok("database", f"{text}, journal mode {mode.upper() if mode == 'wal' else mode}")


def _charset(text: str) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@character_set_database")
        charset = str(cursor.fetchone()[0])
    if charset != "utf8mb4":
        advice = f"ALTER DATABASE {connection.settings_dict['NAME']} CHARACTER SET utf8mb4; and convert its tables"
        return broken("database", f"{text}, character set {charset}", advice)
    return ok("database", f"{text}, {charset}")


_DESCRIBED = {"sqlite": _of_sqlite, "postgresql": _of_server, "mysql": _of_server}
_SETTING = {"sqlite": journal, "mysql": _charset}


def shared_cache() -> Finding:
    """See whether the cache keeps what is put into it: rate limits count there."""
    store = "Redis" if settings.REDIS_URL else "the database"
    cache.set("doctor", "here", 30)
    if cache.get("doctor") != "here":
        return broken(
            "cache", f"{store} does not keep what is put into it", "see that REDIS_URL is right and reachable"
        )
    return ok("cache", f"in {store}")


def model() -> Finding:
    """See whether a model serves, and whether its file can be read."""
    from recommender.lifecycle.versions import active_model

    version: Any = apps.get_model("recommender", "ModelVersion").objects.filter(active_slot=True).first()
    if version is None:
        advice = "import songs (`manage.py import_tracks songs.csv`), then `manage.py retrain`"
        return look("model", "none yet: the popular songs are shown", advice)
    loaded = active_model()
    if loaded is None or loaded.version.pk != version.pk:
        serves = "none" if loaded is None else f"model {loaded.version.pk}"
        advice = "run `manage.py retrain`, or take the files out of a backup"
        where = Path(settings.MODEL_DIR) / version.directory
        return broken("model", f"model {version.pk} cannot be read from {where}; {serves} serves", advice)
    age = timezone.now() - version.created_at
    return ok("model", f"model {version.pk}, {age.days} days old")


def worker() -> Finding:
    """Check whether a worker is alive, and whether jobs wait in vain."""
    now = timezone.now()
    sign = last_heartbeat()
    late = now - timedelta(seconds=2 * settings.JOB_STALE_SECONDS)
    due = Job.objects.filter(state=Job.State.WAITING, created_at__lt=late).exclude(run_after__gt=late).count()
    # A heartbeat far in the future was sent while the clock was wrong; a live worker sends another within seconds.
    if sign is not None and late < sign < now + (now - late):
        return ok("worker", f"alive {max(0.0, (now - sign).total_seconds()):.0f} s ago")
    text = "none alive" if sign is None else f"none alive since {timezone.localtime(sign):%Y-%m-%d %H:%M}"
    advice = "`serve` runs one; with --no-worker run `manage.py worker` beside it (journalctl -u earworm-worker)"
    if due:
        return broken("worker", f"{text}, and {due} jobs wait", advice)
    return look("worker", f"{text}; nothing is due", advice)


def clock() -> Finding:
    """Compare the clock with the database's and with stored dates."""
    now = timezone.now()
    differs = abs((_servers_now() - now).total_seconds()) if connection.vendor != "sqlite" else 0.0
    ahead = (_newest_date(now) - now).total_seconds()
    advice = "set the clock, and have it kept (systemd-timesyncd, chrony): recent likes count for more"
    if differs > CLOCK_SECONDS:
        return broken("clock", f"the database server's differs by {differs:.0f} s", advice)
    if ahead > CLOCK_SECONDS:
        return broken("clock", f"it is behind: the database has dates that are {ahead:.0f} s ahead", advice)
    return ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _servers_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP" if connection.vendor == "postgresql" else "SELECT UTC_TIMESTAMP")
        value: datetime = cursor.fetchone()[0]
    return value if timezone.is_aware(value) else timezone.make_aware(value, timezone.get_default_timezone())


def _newest_date(now: datetime) -> datetime:
    newest = Job.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    sign = last_heartbeat()
    return max(filter(None, (newest, sign)), default=now)
