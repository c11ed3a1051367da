"""A backup from somebody else runs nothing, whatever it holds, and is not restored unasked."""

import io
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.models import User
from catalog.models import Track
from feedback.tests.factories import UserFactory, make_track
from spotify_rec.backup.common import MANIFEST, BackupError
from spotify_rec.backup.sql_guard import check
from tests.test_backup import backup, places, restore

__all__ = ["places"]
pytestmark = pytest.mark.django_db(transaction=True)
POSTGRES = [
    "\\! touch MARK\n",
    "SELECT 1; \\! touch MARK\n",
    "SELECT 1 \\g |touch MARK\n",
    "\\o |touch MARK\n",
    "\\i /etc/passwd\n",
    "\\copy accounts_user to program 'touch MARK'\n",
    "\\restrict x\\! touch MARK\n",
    "-- a comment\r\\! touch MARK\n",
    "/*\nCOPY public.x (id) FROM stdin;\n*/ \\! touch MARK\n\\.\n",
    "SELECT '\nCOPY public.x (id) FROM stdin;\n'; \\! touch MARK\n\\.\n",
    'CREATE TABLE x ("\nCOPY public.x (id) FROM stdin;\n" int); \\! touch MARK\n\\.\n',
    "SELECT $$\nCOPY public.x (id) FROM stdin;\n$$; \\! touch MARK\n\\.\n",
    "COPY public.catalog_genre (name) FROM PROGRAM 'touch MARK';\n",
    "COPY (SELECT 1) TO PROGRAM 'touch MARK';\n",
    "COPY public.catalog_genre (name) FROM '/etc/passwd';\n",
    "CREATE TABLE x (a text DEFAULT pg_read_file('/etc/passwd'));\n",
    "CREATE TABLE x AS SELECT pg_read_file('/etc/passwd');\n",
    "CREATE INDEX x ON y USING btree (lo_import('/etc/passwd'));\n",
    "CREATE FUNCTION x() RETURNS int LANGUAGE c AS 'libc', 'system';\n",
    "CREATE EXTENSION IF NOT EXISTS plpython3u WITH SCHEMA public;\n",
    "DO 'BEGIN END';\n",
    "SET standard_conforming_strings = off;\n",
    "ALTER SYSTEM SET archive_command = 'touch MARK';\n",
    "SELECT pg_catalog.setval('x', 1, true), lo_import('/etc/passwd');\n",
    "SELECT 1",
    "SELECT\n",
]
MYSQL = [
    "\\! touch MARK\n",
    "system touch MARK\n",
    "SELECT 1; \\! touch MARK\n",
    "SELECT 1; system touch MARK\n",
    "source /etc/passwd\n",
    "\\. /etc/passwd\n",
    "tee MARK\n",
    "pager touch MARK\n",
    "delimiter //\n",
    "SELECT 'x' INTO OUTFILE 'MARK';\n",
    "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE x;\n",
    "CREATE FUNCTION sys_exec RETURNS int SONAME 'x.so';\n",
    "CREATE TRIGGER x AFTER INSERT ON y FOR EACH ROW SET @a = 1;\n",
    "INSERT INTO `x` VALUES\n(load_file('/etc/passwd'));\n",
    "INSERT INTO `x` VALUES\n('a\\'), (1);\n\\! touch MARK\n');\n",
    "/*!40101 SET SQL_MODE='NO_BACKSLASH_ESCAPES' */;\n",
    "/*!40101 SET NAMES gbk */;\n",
    "/*!50000 SELECT 1 INTO OUTFILE 'MARK' */;\n",
    "/*\n-- x\n*/ \\! touch MARK\n",
    "  `a` text DEFAULT (load_file('/etc/passwd')),\n",
    ") ENGINE=InnoDB DATA DIRECTORY='/tmp';\n",
    ") ENGINE=FEDERATED CONNECTION='mysql://x';\n",
    "GRANT ALL ON *.* TO x@y;\n",
    "UNLOCK TABLES;",
]
SQLITE = [
    "CREATE TRIGGER x AFTER INSERT ON accounts_user BEGIN UPDATE accounts_user SET is_staff = 1; END",
    "CREATE VIEW x AS SELECT password FROM accounts_user",
    "CREATE VIRTUAL TABLE x USING dbstat",
]


@pytest.mark.parametrize(
    ("vendor", "attack"),
    [*(("postgresql", attack) for attack in POSTGRES), *(("mysql", attack) for attack in MYSQL)],
)
def test_what_would_run_is_refused(vendor: str, attack: str) -> None:
    with pytest.raises(BackupError, match=r"^database.sql"):
        check(io.BytesIO(attack.encode()), vendor, lambda _size: None)


@pytest.mark.parametrize(
    "text", ["it's", 'a"b', "back\\slash", "\\! touch /tmp/x", "two\nlines", ";--/*#$$`", "\\.", "ü\r"]
)
def test_what_listeners_write_comes_back(places: Path, text: str) -> None:
    make_track(text)
    path = backup(places)
    Track.objects.all().delete()

    restore(path, overwrite=True)

    assert list(Track.objects.values_list("title", flat=True)) == [text]


def changed(path: Path, attack: str, *, is_resigned: bool) -> None:
    """Put ``attack`` in front of and behind the backup's database, as somebody with a text editor would."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in members if name.startswith("database."))
    if name.endswith(".sqlite3"):
        file = path.with_suffix(".sqlite3")
        file.write_bytes(members[name])
        with sqlite3.connect(file) as database:
            database.execute(attack)
        database.close()
        members[name] = file.read_bytes()
    else:
        members[name] = attack.encode() + members[name] + attack.encode()
    if is_resigned:
        manifest = json.loads(members[MANIFEST])
        members[MANIFEST] = json.dumps({**manifest, "signature": "0" * 64}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)


def attacks() -> list[str]:
    return {"postgresql": POSTGRES, "mysql": MYSQL}.get(connection.vendor, SQLITE)


def test_nothing_of_a_foreign_backup_runs(places: Path) -> None:
    UserFactory(username="first")
    sound = backup(places)
    UserFactory(username="newcomer")
    mark = places / "mark"
    for number, attack in enumerate(attacks()):
        path = places / f"{number}.zip"
        path.write_bytes(sound.read_bytes())
        changed(path, attack.replace("MARK", str(mark)), is_resigned=True)

        with pytest.raises(CommandError):
            restore(path, overwrite=True, trust_unsigned=True)

        assert not mark.exists(), attack
        assert User.objects.filter(username="newcomer").exists(), attack


def test_an_unsigned_backup_is_restored_only_if_wanted(places: Path, settings: Settings) -> None:
    UserFactory(username="first")
    path = backup(places)
    own_key = settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-of-another-site-with-more-than-fifty-characters"
    UserFactory(username="newcomer")

    with pytest.raises(CommandError, match="wasn't signed with this site's SECRET_KEY"):
        restore(path, overwrite=True)
    assert User.objects.filter(username="newcomer").exists()

    settings.SECRET_KEY_FALLBACKS = [own_key]
    call_command("restore", path, overwrite=True, verbosity=0)
    assert list(User.objects.values_list("username", flat=True)) == ["first"]

    settings.SECRET_KEY_FALLBACKS = []
    restore(path, overwrite=True, trust_unsigned=True)
    assert list(User.objects.values_list("username", flat=True)) == ["first"]


def test_a_signed_backup_that_was_changed_is_damaged(places: Path) -> None:
    UserFactory(username="first")
    path = backup(places)
    changed(path, "CREATE TABLE x (a int)" if connection.vendor == "sqlite" else "-- x\n", is_resigned=False)

    with pytest.raises(CommandError, match="isn't what was signed"):
        restore(path, overwrite=True)


def test_who_is_asked_may_say_yes(places: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    UserFactory(username="first")
    path = backup(places)
    settings.SECRET_KEY = "another-key-of-another-site-with-more-than-fifty-characters"
    answers: list[Any] = ["n", "y"]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _question: answers.pop(0))

    with pytest.raises(CommandError, match="wasn't signed"):
        restore(path, overwrite=True)
    restore(path, overwrite=True)

    assert answers == []


DEEP = b'{"format": 1, "members": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
NO_MANIFESTS = [
    b"[" * 100_000,
    DEEP,
    b"[1]",
    b"null",
    b"NaN",
    b'"x"',
    b"{",
    b"\xff",
    b'{"format": ' + b"9" * 5_000 + b"}",
]
NO_VALUES: list[Any] = [
    None,
    5,
    1.5,
    [1],
    [None],
    ["\ud800"],
    {"a": 1},
    {"a": [1]},
    "\ud800",
    "x" * 100_000,
    {"\ud800": []},
]


def refusal(path: Path) -> str:
    with pytest.raises(CommandError) as refused:
        restore(path, overwrite=True, trust_unsigned=True)
    text = str(refused.value)
    assert "\n" not in text
    assert len(text) < 500
    text.encode()
    return text


def with_manifest(path: Path, manifest: bytes) -> Path:
    changed_path = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(changed_path, "w") as target:
        target.writestr(MANIFEST, manifest)
        for name in archive.namelist():
            if name != MANIFEST:
                target.writestr(name, archive.read(name))
    return changed_path


@pytest.mark.parametrize("manifest", NO_MANIFESTS, ids=range(len(NO_MANIFESTS)))
def test_what_is_no_manifest_is_refused_in_one_line(places: Path, manifest: bytes) -> None:
    assert "backup.json" in refusal(with_manifest(backup(places), manifest))


@pytest.mark.parametrize("field", ["format", "database", "made_at", "members", "migrations"])
def test_a_manifest_with_anything_in_a_field_is_refused_in_one_line(places: Path, field: str) -> None:
    path = backup(places)
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read(MANIFEST))
    without = {name: value for name, value in manifest.items() if name != field}
    for changes in ({}, *({field: value} for value in NO_VALUES)):
        refusal(with_manifest(path, json.dumps({**without, **changes}).encode()))


@pytest.mark.parametrize("signature", ["\ud800", "\u00fc", 5, None])
def test_a_signature_of_anything_is_no_signature(places: Path, signature: Any) -> None:
    path = backup(places)
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read(MANIFEST))
    changed_path = with_manifest(path, json.dumps({**manifest, "signature": signature}).encode())
    with pytest.raises(CommandError, match="wasn't signed"):
        restore(changed_path, overwrite=True)


@pytest.mark.parametrize(("offset", "value"), [(8, 1), (10, 99)], ids=["encrypted", "packed in an unknown way"])
def test_a_part_that_cannot_be_unpacked_is_refused_in_one_line(places: Path, offset: int, value: int) -> None:
    path = backup(places)
    content = bytearray(path.read_bytes())
    entry = content.find(b"PK\x01\x02")
    while entry >= 0:
        content[entry + offset] = value
        entry = content.find(b"PK\x01\x02", entry + 4)
    path.write_bytes(content)
    assert "is damaged" in refusal(path)
