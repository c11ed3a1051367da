"""`manage.py doctor`: each finding provoked, and the whole on a site that is well."""

import json
import shutil
import socket
import threading
from collections import namedtuple
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.spotify.tests.worlds import running_sandbox
from jobs import heartbeat
from jobs.models import Job
from jobs.services import enqueue
from recommender.lifecycle.versions import forget_loaded
from recommender.models import ModelVersion
from recommender.tests.builders import make_catalogue
from spotify_rec.doctor import Finding, Level, data, examine, machine, outside, services
from spotify_rec.management.commands.fetch_assets import FILES, SPRITE
from tests.stripping_proxy import stripping_proxy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Folders of its own, with the browser's files, or what is as long."""
    # The test runner takes it away.
    settings.DEBUG = True
    settings.VAR_DIR, settings.MODEL_DIR = tmp_path / "var", tmp_path / "models"
    settings.VENDOR_DIR, settings.STATIC_ROOT = tmp_path / "vendor", tmp_path / "static"
    (tmp_path / "vendor" / "vendor").mkdir(parents=True)
    for name in (*FILES, SPRITE):
        (tmp_path / "vendor" / "vendor" / name).write_text("x" * 1000)
    return tmp_path


def told(finding: Finding) -> tuple[str, str]:
    assert bool(finding.advice) == (finding.level != Level.OK)
    return finding.level.value, finding.text


def test_a_site_that_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    make_catalogue()
    call_command("retrain", verbosity=0)
    heartbeat.record_heartbeat()
    out = StringIO()

    call_command("doctor", stdout=out)

    lines = [line for line in out.getvalue().splitlines() if not line.startswith(" ")]
    assert [line.split()[1] for line in lines] == [
        "python", "settings", "database", "cache", "folders", "disk", "assets", "model", "worker", "clock", "mail",
        "spotify", "openid", "proxy",
    ]  # fmt: skip
    assert "BROKEN" not in out.getvalue()


def test_for_programs_and_the_exit_status(folder: Path) -> None:
    shutil.rmtree(folder / "vendor")
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("doctor", json=True, stdout=out)

    assert ended.value.code == 1
    report = json.loads(out.getvalue())
    assert report["ok"] is False
    [results] = [finding for finding in report["findings"] if finding["name"] == "assets"]
    assert (results["level"], set(results)) == ("broken", {"name", "level", "text", "advice"})


def test_an_examination_that_cannot_be_made_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise OperationalError("the server is away\nand more")

    with connection.execute_wrapper(refuse):
        findings = {finding.name: finding for finding in examine()}

    assert told(findings["database"]) == ("broken", "cannot be looked at: the server is away")
    assert "DATABASE_URL" in findings["database"].advice
    assert findings["disk"].level == Level.OK


def test_a_python_that_is_newer_than_what_was_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.python().level == Level.OK
    monkeypatch.setattr(machine, "NEWEST_TESTED", (3, 10))
    assert machine.python().level == Level.LOOK


def test_missing_migrations() -> None:
    assert data.database().level == Level.OK
    MigrationRecorder(connection).migration_qs.filter(app="jobs").delete()
    level, text = told(data.database())
    assert level == "broken"
    assert text.endswith("migrations are missing")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite alone")
@pytest.mark.django_db(transaction=True)
def test_a_sqlite_file_without_wal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file of its own: that of the tests cannot leave the mode while anything else has it open.
    other = connections.create_connection("default")
    other.settings_dict = {**other.settings_dict, "NAME": str(tmp_path / "other.sqlite3")}
    with other.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=DELETE")
    monkeypatch.setattr(data, "connection", other)
    level, text = told(data.journal("SQLite"))
    other.close()
    assert (level, text) == ("look", "SQLite, journal mode delete rather than WAL")


def test_a_cache_that_keeps_nothing(settings: Any) -> None:
    assert told(data.shared_cache()) == ("ok", "in the database")
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert data.shared_cache().level == Level.BROKEN


def test_a_folder_that_cannot_be_written_to(settings: Any, folder: Path) -> None:
    assert machine.folders().level == Level.OK
    # Not even root may write there.
    settings.VAR_DIR = Path("/proc/1/earworm")
    level, text = told(machine.folders())
    assert (level, text.startswith("/proc/1/earworm: ")) == ("broken", True)


@pytest.mark.parametrize(("free", "level"), [(3 * 10**9, "ok"), (10**9, "look"), (10**8, "broken")])
def test_a_disk_that_fills_up(monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage(10**12, 10**12 - free, free))
    assert told(machine.disk())[0] == level
    assert f"{free / 10**9:.1f} GB free" in machine.disk().text


def test_assets_that_are_missing_empty_or_not_collected(settings: Any, folder: Path) -> None:
    assert machine.assets().level == Level.OK
    settings.DEBUG = False
    assert told(machine.assets()) == ("broken", f"nothing is collected in {folder / 'static'}")
    (folder / "vendor" / "vendor" / SPRITE).write_text("")
    assert told(machine.assets())[1].startswith(f"pages are plain: {SPRITE} not in ")


def test_no_model_and_one_whose_file_is_gone(settings: Any) -> None:
    assert told(data.model()) == ("look", "none yet: the popular songs are shown")
    make_catalogue()
    call_command("retrain", verbosity=0)
    assert told(data.model())[0] == "ok"
    version = ModelVersion.objects.get()
    shutil.rmtree(settings.MODEL_DIR)
    # As in a process of its own.
    forget_loaded()
    level, text = told(data.model())
    assert (level, text.startswith(f"model {version.pk} cannot be read from ")) == ("broken", True)
    assert text.endswith("none serves")


def test_no_worker_and_work_that_waits() -> None:
    assert told(data.worker()) == ("look", "none alive; nothing is due")
    enqueue(kind="retrain")
    Job.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert told(data.worker()) == ("broken", "none alive, and 1 jobs wait")
    heartbeat.record_heartbeat()
    assert told(data.worker())[0] == "ok"


def test_work_that_is_due_later_is_not_waited_for() -> None:
    enqueue(kind="retrain", run_after=timezone.now() + timedelta(hours=3))
    Job.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert told(data.worker())[0] == "look"


def test_a_clock_that_is_behind() -> None:
    assert data.clock().level == Level.OK
    enqueue(kind="retrain")
    Job.objects.update(created_at=timezone.now() + timedelta(hours=2))
    level, text = told(data.clock())
    assert (level, text.startswith("it is behind: the database has dates that are 7")) == ("broken", True)


def test_mail_in_debug_and_outside(settings: Any) -> None:
    settings.EMAIL_URL, settings.DEBUG = "", True
    assert services.mail().level == Level.OK
    settings.DEBUG = False
    assert services.mail().level == Level.LOOK


def test_a_mail_server_that_is_away_and_one_that_is_there(settings: Any) -> None:
    settings.EMAIL_URL, settings.EMAIL_BACKEND = "smtp://127.0.0.1", "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_PORT = server.getsockname()[1]
        thread = threading.Thread(target=_greet, args=[server])
        thread.start()
        assert told(services.mail()) == ("ok", f"127.0.0.1:{settings.EMAIL_PORT} takes us in")
        thread.join()
    level, text = told(services.mail())
    assert (level, "refused" in text) == ("broken", True)


def _greet(server: socket.socket) -> None:
    client, _address = server.accept()
    with client, client.makefile("rwb") as talk:
        talk.write(b"220 here\r\n")
        talk.flush()
        for line in talk:
            talk.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 yes\r\n")
            talk.flush()


@pytest.fixture
def app(settings: Any) -> Iterator[Any]:
    """An app at the sandbox, set up in the settings."""
    with running_sandbox() as sandbox:
        yield sandbox


def test_spotify_is_asked_only_where_an_app_is_set_up(settings: Any) -> None:
    settings.SPOTIFY_CLIENT_ID = ""
    settings.SPOTIFY_ACCOUNTS_URL = "http://127.0.0.1:1"
    assert services.spotify().level == Level.OK


def test_spotify_with_a_wrong_secret_and_away(settings: Any, app: Any) -> None:
    assert told(services.spotify())[0] == "ok"
    settings.SPOTIFY_CLIENT_SECRET = "wrong"
    assert "does not know the app" in told(services.spotify())[1]
    settings.SPOTIFY_ACCOUNTS_URL = "http://127.0.0.1:1"
    assert told(services.spotify()) == ("broken", "127.0.0.1:1 gives no answer (ConnectionError)")


def test_settings_of_debug_and_of_a_site_that_others_reach(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True
    assert told(services.configuration()) == ("look", "DEBUG is on: for use on this machine alone")
    settings.DEBUG, settings.ALLOWED_HOSTS = False, ["songs.example.org"]
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    level, text = told(services.configuration())
    assert (level, "DJANGO_ALLOW_ASYNC_UNSAFE" in text) == ("broken", True)
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE")
    # No HTTPS, as the tests have it.
    assert told(services.configuration())[0] == "look"


@pytest.mark.parametrize(
    ("changes", "level", "part"),
    [
        ({"DEBUG": True}, "ok", "none"),
        ({"INSECURE_HTTP": True}, "ok", "none"),
        ({}, "broken", "lead in a circle"),
        ({"ALLAUTH_TRUSTED_PROXY_COUNT": 1}, "look", "no address whose forms are"),
        ({"ALLAUTH_TRUSTED_PROXY_COUNT": 1, "CSRF_TRUSTED_ORIGINS": ["https://songs.example.org"]}, "ok", "1 trusted"),
        (
            {"INSECURE_HTTP": True, "TRUSTED_PROXY_AUTH_HEADER": "Remote-User", "TRUSTED_PROXY_ADDRESSES": ["unix"]},
            "ok",
            "Remote-User logs in from unix",
        ),
        ({"INSECURE_HTTP": True, "BASE_PATH": "/earworm"}, "broken", "below /earworm/, and no proxy"),
    ],
)
def test_settings_that_do_not_fit_a_proxy(settings: Any, changes: dict[str, Any], level: str, part: str) -> None:
    plain = {"DEBUG": False, "INSECURE_HTTP": False, "ALLAUTH_TRUSTED_PROXY_COUNT": 0, "CSRF_TRUSTED_ORIGINS": []}
    for name, value in {**plain, "BASE_PATH": "", **changes}.items():
        setattr(settings, name, value)
    found_level, text = told(services.proxy())
    assert (found_level, part in text) == (level, True)


@pytest.mark.django_db(transaction=True)
def test_the_address_as_it_is_reached(live_server: Any, settings: Any) -> None:
    assert told(outside.address(live_server.url)) == ("ok", f"{live_server.url}/ answers, with its style sheets")
    port = int(live_server.url.rsplit(":", 1)[1])
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    with stripping_proxy("/earworm", port) as proxy:
        level, text = told(outside.address(proxy.address))
    # The site does not know that it lies below a path: its style sheets are asked for beside it.
    assert (level, text.endswith(": 404")) == ("broken", True)
    settings.BASE_PATH = "/elsewhere"
    assert "has another BASE_PATH" in told(outside.address(live_server.url))[1]


@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_refused_leads_in_a_circle_or_is_silent(live_server: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["songs.example.org"]
    assert outside.address(live_server.url).advice == "add localhost to ALLOWED_HOSTS"
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert told(outside.address(f"http://127.0.0.1:{port}")) == (
        "broken",
        f"http://127.0.0.1:{port}/ gives no answer (ConnectionError)",
    )


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Give the address of a web server, and the file in which it describes its provider."""
    described = tmp_path / "issuer" / ".well-known" / "openid-configuration"
    described.parent.mkdir(parents=True)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "issuer"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}", described
        server.shutdown()


def test_the_provider_of_openid_connect(settings: Any, issuer: tuple[str, Path]) -> None:
    assert told(services.openid_connect())[0] == "ok"
    settings.OIDC_NAME, (settings.OIDC_SERVER_URL, described) = "House", issuer
    page = f"{settings.OIDC_SERVER_URL}/.well-known/openid-configuration"
    assert told(services.openid_connect()) == ("broken", f"{page} gives no answer to read (JSONDecodeError)")
    for content in ('["no map"]', '{"issuer": 5}'):
        described.write_text(content)
        assert told(services.openid_connect()) == ("broken", f"{page} doesn't say its issuer")
    parts = {"issuer": "https://id.example", "authorization_endpoint": "https://log.example/in", "token_endpoint": "t"}
    described.write_text(json.dumps(parts))
    expected = "House: https://id.example answers; people log in at https://log.example/in"
    assert told(services.openid_connect()) == ("ok", expected)
    settings.OIDC_SERVER_URL = page
    assert told(services.openid_connect()) == ("ok", expected)
