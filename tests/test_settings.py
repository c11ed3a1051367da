"""Bad values stop the start with the setting's name; good ones do what they say, in processes of their own."""

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction

from accounts.models import User

SECRET = "aB3-x9" * 10
PRODUCTION = {"DEBUG": "false", "SECRET_KEY": SECRET, "ALLOWED_HOSTS": "songs.example.org", "INSECURE_HTTP": "false"}
# Set here, so that neither the shell's values nor those of a .env file count.
NEUTRAL = {"DEBUG": "true", "DATABASE_URL": "sqlite://:memory:", "EMAIL_URL": "", "CSRF_TRUSTED_ORIGINS": ""}


def python(*arguments: str, folder: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    system = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder or settings.BASE_DIR,
        env={**system, **NEUTRAL, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def read_settings(*names: str, **environment: str) -> list[str]:
    code = f"from spotify_rec import settings\nfor name in {names}: print(repr(getattr(settings, name)))"
    done = python("-c", code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"DEBUG": "maybe"}, "setting DEBUG: Not a valid boolean."),
        (
            {"SECRET_KEY": ""},
            "setting SECRET_KEY: set it to at least 50 random characters (required when DEBUG is false).",
        ),
        (
            {"SECRET_KEY": "short"},
            "setting SECRET_KEY: set it to at least 50 random characters (required when DEBUG is false).",
        ),
        (
            {"SECRET_KEY": "for local use only: not accepted when DEBUG is false"},
            "setting SECRET_KEY: set it to at least 50 random characters (required when DEBUG is false).",
        ),
        (
            {"ALLOWED_HOSTS": ""},
            "setting ALLOWED_HOSTS: list the site's host names, separated by commas (required when DEBUG is false).",
        ),
        (
            {"API_CORS_ORIGINS": "https://app.example.org,*"},
            "setting API_CORS_ORIGINS: '*' must look like https://host.",
        ),
        (
            {"CSRF_TRUSTED_ORIGINS": "songs.example.org"},
            "setting CSRF_TRUSTED_ORIGINS: 'songs.example.org' must look like https://host.",
        ),
        (
            {"REDIS_URL": "127.0.0.1:6379"},
            "setting REDIS_URL: must be an address such as redis://127.0.0.1:6379/0.",
        ),
        ({"DATABASE_URL": "mongodb://localhost/songs"}, "setting DATABASE_URL: Not a valid database URL."),
        (
            {"DATABASE_URL": "oracle://localhost/songs"},
            "setting DATABASE_URL: oracle isn't supported. Use sqlite, postgres or mysql.",
        ),
        ({"DATABASE_URL": "postgres://"}, "setting DATABASE_URL: the database name is missing."),
        ({"LOG_LEVEL": "LOUD"}, "setting LOG_LEVEL: Not a valid log level."),
        (
            {"TIME_ZONE": "Mars/Base"},
            "setting TIME_ZONE: 'Mars/Base' isn't a time zone. Use a name such as Europe/Berlin.",
        ),
        ({"TRUSTED_PROXY_COUNT": "-1"}, "setting TRUSTED_PROXY_COUNT: must be 0 or more, not -1."),
        (
            {"TRUSTED_PROXY_AUTH_HEADER": "Remote User", "TRUSTED_PROXY_ADDRESSES": "127.0.0.1"},
            "setting TRUSTED_PROXY_AUTH_HEADER: must be a header's name such as Remote-User.",
        ),
        (
            {"TRUSTED_PROXY_AUTH_HEADER": "Remote-User"},
            "setting TRUSTED_PROXY_ADDRESSES: list the proxy's own addresses (required with "
            "TRUSTED_PROXY_AUTH_HEADER).",
        ),
        *[
            (
                {"TRUSTED_PROXY_ADDRESSES": addresses},
                "setting TRUSTED_PROXY_ADDRESSES: must be 127.0.0.1, 10.0.0.0/24, unix and the like, "
                f"not {addresses!r}.",
            )
            for addresses in ("0.0.0.0/0", "::/0", "proxy.example", "10.0.0.1/24")
        ],
        *[
            (
                {"OIDC_SERVER_URL": address},
                "setting OIDC_SERVER_URL: must start with https:// "
                "(http://127.0.0.1 is allowed when INSECURE_HTTP is true).",
            )
            for address in ("id.example.org", "http://id.example.org", "http://127.0.0.1:9000")
        ],
        (
            {"OIDC_SERVER_URL": "https://id.example.org", "OIDC_CLIENT_ID": "earworm"},
            "setting OIDC_CLIENT_ID: set it and OIDC_CLIENT_SECRET to what the provider of OIDC_SERVER_URL tells you.",
        ),
        ({"REQUIRE_MFA_FOR_STAFF": "perhaps"}, "setting REQUIRE_MFA_FOR_STAFF: Not a valid boolean."),
        ({"TRUSTED_PROXY_COUNT": "one"}, "setting TRUSTED_PROXY_COUNT: Not a valid integer."),
        ({"SECURE_HSTS_SECONDS": "-5"}, "setting SECURE_HSTS_SECONDS: must be 0 or more, not -5."),
        (
            {"SEARCH_LINKS": "Tube=http://tube.example/{song}"},
            "setting SEARCH_LINKS: must be NAME=https://... with {song} in it, not 'Tube=http://tube.example/{song}'.",
        ),
        ({"RETRAIN_HOURS": "daily"}, "setting RETRAIN_HOURS: Not a valid integer."),
        ({"TRANSCODED_CACHE_MB": "-1"}, "setting TRANSCODED_CACHE_MB: must be 0 or more, not -1."),
        (
            {"MUSIC_SENDFILE": "nginx"},
            "setting MUSIC_SENDFILE: must be X-Accel-Redirect or X-Sendfile, or empty.",
        ),
        ({"LIBRARY_HOURS": "-1"}, "setting LIBRARY_HOURS: must be 0 or more, not -1."),
        ({"SOUND_HOURS": "-1"}, "setting SOUND_HOURS: must be 0 or more, not -1."),
        ({"JOB_STALE_SECONDS": "0"}, "setting JOB_STALE_SECONDS: must be 1 or more."),
        ({"UPLOADS_KEPT_DAYS": "-1"}, "setting UPLOADS_KEPT_DAYS: must be 0 or more, not -1."),
        ({"LISTENER_MAX_PLAYS": "-1"}, "setting LISTENER_MAX_PLAYS: must be 0 or more, not -1."),
        ({"SITE_MAX_OWN_SONGS": "lots"}, "setting SITE_MAX_OWN_SONGS: Not a valid integer."),
        ({"MIN_FREE_DISK_MB": "-1"}, "setting MIN_FREE_DISK_MB: must be 0 or more, not -1."),
        ({"MAX_HISTORY_UPLOAD_BYTES": "-1"}, "setting MAX_HISTORY_UPLOAD_BYTES: must be 0 or more, not -1."),
        ({"MAX_IMPORT_UPLOAD_BYTES": "1 GB"}, "setting MAX_IMPORT_UPLOAD_BYTES: Not a valid integer."),
        (
            {"EMAIL_URL": "mail.example.org"},
            "setting EMAIL_URL: must be an address such as submission://user:password@mail.example.org:587.",
        ),
        ({"SPOTIFY_SIGN_IN": "perhaps"}, "setting SPOTIFY_SIGN_IN: Not a valid boolean."),
        ({"SPOTIFY_EXTENDED_ACCESS": "perhaps"}, "setting SPOTIFY_EXTENDED_ACCESS: Not a valid boolean."),
        (
            {"SPOTIFY_CLIENT_ID": "abc"},
            "setting SPOTIFY_TOKEN_KEYS: required with SPOTIFY_CLIENT_ID when DEBUG is false. "
            "`manage.py rotate_spotify_keys --new` prints a key.",
        ),
        (
            {"SPOTIFY_TOKEN_KEYS": "short"},
            "setting SPOTIFY_TOKEN_KEYS: each key must be 32 bytes in URL-safe base64. "
            "`manage.py rotate_spotify_keys --new` prints one.",
        ),
        (
            {"SPOTIFY_API_URL": "http://127.0.0.1:8090/v1"},
            "setting SPOTIFY_API_URL: must start with https:// "
            "(http://127.0.0.1 is allowed when INSECURE_HTTP is true).",
        ),
        ({"INSECURE_HTTP": "perhaps"}, "setting INSECURE_HTTP: Not a valid boolean."),
        ({"SITE_NAME": " "}, "setting SITE_NAME: must not be empty. Leave it out to use 'Earworm'."),
        ({"MODEL_DIR": ""}, "setting MODEL_DIR: must not be empty. Leave it out to use 'data/models'."),
        *[
            ({"MODEL_STORE": address}, "setting MODEL_STORE: must be an address such as s3://bucket/folder.")
            for address in (
                "models",
                "s3://",
                "https://bucket/folder",
                "s3://key:secret@bucket",
                "s3://bucket/../other",
            )
        ],
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_bad_value_stops_the_start_with_one_line(environment: dict[str, str], message: str) -> None:
    done = python("manage.py", "check", **{**PRODUCTION, **environment})

    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"manage.py: {message}\n")


def test_a_store_whose_library_is_missing_stops_the_start() -> None:
    # As Python has it for a module that cannot be imported.
    code = "import sys; sys.modules['boto3'] = None; import spotify_rec.settings"
    done = python("-c", code, MODEL_STORE="s3://bucket/models")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "setting MODEL_STORE: needs boto3. Run: pip install --require-hashes -r requirements-s3.txt"
    )


def test_what_boto3_reads_may_stand_in_the_env_file(tmp_path: Path) -> None:
    for app in ("accounts", "spotify_rec"):
        shutil.copytree(settings.BASE_DIR / app, tmp_path / app, ignore=shutil.ignore_patterns("tests", "static"))
    (tmp_path / ".env").write_text("AWS_ENDPOINT_URL=https://storage.example.org\nAWS_ACCESS_KEY_ID=file\n")
    code = "import os, spotify_rec.settings; print(os.environ['AWS_ENDPOINT_URL'], os.environ['AWS_ACCESS_KEY_ID'])"
    done = python("-c", code, folder=str(tmp_path), AWS_ACCESS_KEY_ID="environment")

    assert done.stdout == "https://storage.example.org environment\n", done.stderr


def test_the_server_stops_too() -> None:
    done = python("-c", "import spotify_rec.wsgi", TIME_ZONE="Mars/Base")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "django.core.exceptions.ImproperlyConfigured: "
        "setting TIME_ZONE: 'Mars/Base' isn't a time zone. Use a name such as Europe/Berlin."
    )


def test_local_use_needs_no_setting() -> None:
    assert read_settings("DEBUG", "SESSION_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "ACCOUNT_EMAIL_VERIFICATION") == [
        "True",
        "False",
        "False",
        "'none'",
    ]


def test_production_is_https_only() -> None:
    names = ("DEBUG", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS")
    assert read_settings(*names, **PRODUCTION) == ["False", "True", "True", "True", "31536000"]


def test_a_mail_server_turns_verification_on() -> None:
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "ACCOUNT_EMAIL_VERIFICATION")
    url = "submission://listener:letters@mail.example.org:587"
    assert read_settings(*names, EMAIL_URL=url) == ["'mail.example.org'", "587", "True", "'mandatory'"]


def test_relative_paths_are_inside_the_project() -> None:
    model_dir, databases = read_settings("MODEL_DIR", "DATABASES", MODEL_DIR="var/m", DATABASE_URL="sqlite:///var/d.db")

    assert model_dir == f"PosixPath('{settings.BASE_DIR}/var/m')"
    assert f"PosixPath('{settings.BASE_DIR}/var/d.db')" in databases


def test_the_example_lists_every_setting_and_no_other() -> None:
    source = Path(settings.BASE_DIR, "spotify_rec", "settings.py").read_text()
    read = set(re.findall(r'_read\w*\(\s*"(\w+)"', source))
    example = Path(settings.BASE_DIR, ".env.example").read_text()
    listed = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", example, re.MULTILINE)

    assert len(read) > 10
    assert sorted(listed) == sorted(read)


def test_only_the_settings_read_the_environment() -> None:
    apps = ("accounts", "catalog", "feedback", "recommender", "spotify_rec")
    readers = [
        str(path.relative_to(settings.BASE_DIR))
        for app in apps
        for path in Path(settings.BASE_DIR, app).rglob("*.py")
        if "tests" not in path.parts and re.search(r"os\.environ\b|\bgetenv\b|\benvirons\b", path.read_text())
    ]

    # wsgi.py sets one variable, the name of the settings, and reads none; the demo prints the PORT it is served on.
    allowed = {"spotify_rec/settings.py", "spotify_rec/wsgi.py", "spotify_rec/management/commands/load_demo.py"}
    # They set the settings' name, and find the folder in which the file of settings lies.
    allowed |= {"spotify_rec/command_line.py", "spotify_rec/places.py"}
    # It hands the sandbox's addresses to the processes that it starts.
    allowed.add("spotify_rec/management/commands/serve.py")
    # The database's own programs are handed the environment with the password in it.
    allowed.add("spotify_rec/backup/databases.py")
    # A process of its own that tries a model out is handed the environment.
    allowed.add("recommender/lifecycle/trial.py")
    # The process that analyses recordings is handed a few names of the environment, and none of its secrets.
    allowed.add("catalog/sound/analyser.py")
    assert "spotify_rec/settings.py" in readers
    assert set(readers) - allowed == set()


def test_the_example_has_no_secret() -> None:
    example = Path(settings.BASE_DIR, ".env.example").read_text()

    assert re.findall(r"^SECRET_KEY=(.*)$", example, re.MULTILINE) == [""]


@pytest.mark.django_db
def test_migrate_makes_the_cache_table() -> None:
    caches["site"].set("count", 3)

    assert caches["site"].get("count") == 3


only_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite alone")


@only_sqlite
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 1),
        ("busy_timeout", 20_000),
        ("mmap_size", 134_217_728),
        ("cache_size", -20_000),
        ("temp_store", 2),
        ("journal_size_limit", 27_103_364),
        ("foreign_keys", 1),
    ],
)
def test_sqlite_is_tuned(pragma: str, value: str | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}")
        assert cursor.fetchone() == (value,)


@pytest.mark.django_db(transaction=True)
def test_a_writer_waits_for_another() -> None:
    """Read, then write, in both at once: without the tuning one of them fails with "database is locked"."""
    listener = User.objects.create_user("ada", "ada@example.org", "a long password")
    has_begun = threading.Event()
    problems: list[Exception] = []

    def second_writer() -> None:
        try:
            has_begun.wait(timeout=120)
            with transaction.atomic():
                user = User.objects.select_for_update().get(pk=listener.pk)
                user.adventure += 0.25
                user.save(update_fields=["adventure"])
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=second_writer)
    thread.start()
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=listener.pk)
        has_begun.set()
        thread.join(timeout=0.3)
        assert thread.is_alive()
        user.adventure = 0.5
        user.save(update_fields=["adventure"])
    thread.join(timeout=120)

    assert problems == []
    listener.refresh_from_db()
    assert listener.adventure == 0.75


def test_forms_may_lead_to_spotify_where_there_is_an_app() -> None:
    code = "from spotify_rec import settings; print(settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action'])"

    assert python("-c", code, SPOTIFY_CLIENT_ID="").stdout == "[\"'self'\"]\n"
    with_app = python("-c", code, SPOTIFY_CLIENT_ID="abc")
    assert with_app.stdout == "[\"'self'\", 'https://accounts.spotify.com']\n"


@pytest.mark.parametrize(
    ("value", "sources"), [("true", ["'self'", "data:", "https://i.scdn.co"]), ("false", ["'self'", "data:"])]
)
def test_pictures_come_from_spotify_only_where_its_players_may(value: str, sources: list[str]) -> None:
    code = "from spotify_rec import settings; print(settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['img-src'])"

    assert python("-c", code, SPOTIFY_PLAYER=value).stdout == f"{sources}\n"
