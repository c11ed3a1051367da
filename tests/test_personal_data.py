"""Everything about me: the export compared with the database table by table, and what is left after deletion."""

import csv
import json
import re
import zipfile
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client

from accounts import services
from accounts.models import User
from accounts.personal_data.csv_cells import safe_cell
from accounts.personal_data.export import HIDDEN, SECRET_COLUMNS, csv_export, json_export, personal_tables
from accounts.tokens.services import create_token
from feedback.history_import.models import HistoryImport
from feedback.playlists.models import Playlist
from feedback.tests.factories import UserFactory, make_track
from recommender.models import Blend
from tests.test_account_deletion import MAKERS

pytestmark = pytest.mark.django_db
# They tell one play or song from another, and open nothing.
NOT_SECRET = {
    ("feedback.ServerAccount", "confirmed_key"),
    ("feedback.ServerAccount", "is_api_key"),
    ("feedback.PushedPlaylist", "digest"),
    ("feedback.Play", "token"),
    ("feedback.Play", "digest"),
    ("feedback.RemovedDouble", "token"),
    ("feedback.RemovedDouble", "digest"),
    ("feedback.UnmatchedSong", "digest"),
    ("feedback.ScrobbledSong", "digest"),
    ("feedback.ScrobbledSong", "name_digest"),
    ("feedback.Scrobble", "digest"),
    ("feedback.Scrobble", "key_id"),
}


@pytest.fixture
def both() -> tuple[User, User]:
    """Two listeners with a row in every table that names listeners."""
    users = UserFactory(username="ada"), UserFactory(username="bob")
    for user in users:
        for number, make in enumerate(MAKERS.values()):
            make(user, make_track(f"Song {number} of {user}"))
    return users


def exported(user: User) -> dict[str, list[dict[str, Any]]]:
    content: dict[str, list[dict[str, Any]]] = json.loads("".join(json_export(user)))
    return content


def test_the_export_holds_every_row_and_column_of_mine_and_none_of_others(both: tuple[User, User]) -> None:
    me, other = both
    export = exported(me)

    filled = 0
    for table in personal_tables():
        mine = list(table.rows_of(me).order_by("pk").values())
        hidden = SECRET_COLUMNS.get(table.label, set())
        expected = json.loads(json.dumps(mine, cls=DjangoJSONEncoder))
        assert len(export[table.label]) == len(mine), table.label
        for row, expected_row in zip(export[table.label], expected, strict=True):
            for name, value in expected_row.items():
                assert row[name] == (HIDDEN if name in hidden and value else value), (table.label, name)
        theirs = set(table.rows_of(other).values_list("pk", flat=True))
        assert not theirs & {row["pk"] for row in table.rows_of(me).values("pk")}
        filled += bool(mine)
    assert set(export) == {table.label for table in personal_tables()}
    assert filled >= len(MAKERS)


def test_songs_are_told_by_name(both: tuple[User, User]) -> None:
    assert exported(both[0])["feedback.Rating"][0]["track"] == "Song 0 of ada - Someone"


def test_blends_are_told_by_name(both: tuple[User, User]) -> None:
    export = exported(both[0])
    for table in ("recommender.BlendMember", "recommender.BlendInvitation", "recommender.BlendRefusal"):
        row = export[table][0]
        assert row["blend"] == Blend.objects.get(pk=row["blend_id"]).name


def test_what_opens_the_account_is_not_in_it(both: tuple[User, User]) -> None:
    me = both[0]
    token, key = create_token(user=me, name="x", scope="read")
    text = "".join(json_export(me))

    for secret in (me.password, key, token.digest):
        assert secret not in text


def test_columns_that_sound_secret_are_known_to_be() -> None:
    for table in personal_tables():
        for name, _field in table.columns:
            if re.search(r"password|secret|token|digest|(^|_)key", name) and (table.label, name) not in NOT_SECRET:
                assert name in SECRET_COLUMNS.get(table.label, set()), (table.label, name)


def test_the_csv_files_hold_the_same_rows(both: tuple[User, User]) -> None:
    me = both[0]
    export = exported(me)

    archive = zipfile.ZipFile(BytesIO(b"".join(csv_export(me))))

    assert archive.testzip() is None
    names = {name.removesuffix(".csv") for name in archive.namelist()} - {"README.txt"}
    assert names == {label for label, rows in export.items() if rows}
    for label in names:
        rows = list(csv.DictReader(StringIO(archive.read(f"{label}.csv").decode())))
        assert len(rows) == len(export[label])
        assert set(rows[0]) == set(export[label][0])


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_no_cell_is_a_formula(sign: str) -> None:
    user = UserFactory()
    Playlist.objects.create(owner=user, name=f"{sign}cmd|' /C calc'!A0")

    archive = zipfile.ZipFile(BytesIO(b"".join(csv_export(user))))
    row = next(csv.DictReader(StringIO(archive.read("feedback.Playlist.csv").decode(), newline="")))

    assert row["name"] == f"'{sign}cmd|' /C calc'!A0"
    assert safe_cell(-5) == -5


def test_it_is_read_in_chunks(both: tuple[User, User], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = exported(both[0])
    monkeypatch.setattr("accounts.personal_data.export._CHUNK", 1)

    assert exported(both[0]) == whole


def test_the_page_and_its_files(client: Client, both: tuple[User, User]) -> None:
    assert client.get("/profile/data/")["Location"] == "/accounts/login/?next=/profile/data/"
    client.force_login(both[0])

    html = client.get("/profile/data/").content.decode()
    assert "/profile/data/everything.json" in html
    answer = client.get("/profile/data/everything.json")
    assert json.loads(answer.getvalue()) == exported(both[0])
    assert "no-store" in answer["Cache-Control"]
    archive = client.get("/profile/data/everything.zip")
    assert zipfile.ZipFile(BytesIO(archive.getvalue())).testzip() is None
    assert json.loads(client.get("/api/user/export").getvalue()) == exported(both[0])
    assert client.get("/api/user/export.zip")["Content-Type"] == "application/zip"


def test_after_deletion_no_row_and_no_file_is_left(
    both: tuple[User, User], settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    me, other = both
    settings.VAR_DIR = tmp_path
    files = []
    for user in both:
        upload = HistoryImport(user=user, name="history.json")
        upload.file.save("x", ContentFile(b"[]"))
        files.append(Path(upload.file.path))
    rejects = tmp_path / "rejected-rows" / f"{me.pk}-{'0' * 32}.csv"
    rejects.parent.mkdir()
    rejects.write_text("x")
    rows = {table.label: list(table.rows_of(me).values_list("pk", flat=True)) for table in personal_tables()}

    with django_capture_on_commit_callbacks(execute=True):
        services.delete_account(user=User.objects.get(pk=me.pk))

    for table in personal_tables():
        left = table.model._default_manager.filter(pk__in=rows[table.label])
        # The site's log of experiments stays, without the operator's name.
        stay = rows[table.label] if table.label == "recommender.ExperimentEvent" else []
        assert left.count() == len(stay), table.label
        assert not table.rows_of(me).exists(), table.label
        assert table.rows_of(other).exists() or not rows[table.label], table.label
    assert [path.exists() for path in files] == [False, True]
    assert not rejects.exists()
