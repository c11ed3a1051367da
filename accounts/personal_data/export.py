"""Exports everything stored about a listener. Personal tables are found by their foreign keys, so that new ones are
never forgotten: a table is personal if a column refers to a listener or to a personal table.
"""

import csv
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import IO, Any, cast

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, FileField, ForeignKey, Model, Q, QuerySet

from accounts.models import User
from accounts.personal_data.csv_cells import safe_cell

_CHUNK = 500
# Secrets, and values of use to nobody; the export only says whether they are set.
SECRET_COLUMNS = {
    "accounts.User": {"password"},
    "accounts.ApiToken": {"digest"},
    "accounts.StoredResponse": {"key_digest", "request_digest", "response"},
    "account.EmailConfirmation": {"key"},
    "feedback.ScrobbleKey": {"digest", "old_digest"},
    "feedback.ServerAccount": {"secret"},
    "accounts_spotify.SpotifyAccount": {"access_token", "refresh_token"},
    "recommender.WeeklyFeed": {"digest"},
    "mfa.Authenticator": {"data"},
    "socialaccount.SocialToken": {"token", "token_secret"},
}
HIDDEN = "(kept secret)"
_README = """Everything this site stores about you, with one CSV file (UTF-8) per table.
Text that a spreadsheet would run as a formula starts with an apostrophe.
"""
FileHandler = Callable[[int], None]
NAMED_TABLES = {"recommender.Blend"}
"""Beside those of the catalogue."""
_file_handlers: list[FileHandler] = []


@dataclass(frozen=True)
class PersonalTable:
    """A table with rows of listeners, and by which columns they are theirs."""

    model: type[Model]
    paths: tuple[str, ...]

    @property
    def label(self) -> str:
        """Return the table's name, such as feedback.Rating."""
        return self.model._meta.label

    @property
    def columns(self) -> list[tuple[str, "Field[Any, Any]"]]:
        """Return name and field of every column."""
        return [(field.attname, field) for field in self.model._meta.concrete_fields]

    def rows_of(self, user: User) -> QuerySet[Any]:
        """Return the listener's rows."""
        mine = Q()
        for path in self.paths:
            mine |= Q(**{path: user.pk})
        return self.model._default_manager.filter(mine)


@cache
def personal_tables() -> tuple[PersonalTable, ...]:
    """Return all personal tables, the listener's own row first."""
    paths_by_model: dict[type[Model], tuple[str, ...]] = {User: ("pk",)}
    models = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    has_grown = True
    while has_grown:
        new = {
            model: paths for model in models if model not in paths_by_model and (paths := _paths(model, paths_by_model))
        }
        paths_by_model |= new
        has_grown = bool(new)
    return tuple(PersonalTable(model, paths) for model, paths in paths_by_model.items())


def register_file_handler(handler: FileHandler) -> None:
    """Have ``handler(user_id)`` called when an account has gone, to delete what no column of theirs names."""
    if handler not in _file_handlers:
        _file_handlers.append(handler)


def files_of(user: User) -> list[tuple[Any, str]]:
    """Return storage and name of every file that a row of the listener names."""
    files = []
    for table in personal_tables():
        for name, field in table.columns:
            if isinstance(field, FileField):
                names = table.rows_of(user).exclude(**{name: ""}).values_list(name, flat=True)
                files += [(field.storage, stored) for stored in names if stored]
    return files


def delete_files(user_id: int, files: list[tuple[Any, str]]) -> None:
    """Delete these files, and what the registered handlers know of."""
    for storage, name in files:
        storage.delete(name)
    for handler in _file_handlers:
        handler(user_id)


def json_export(user: User) -> Iterator[str]:
    """Yield one JSON object: the rows of each table under its name."""
    yield "{"
    for number, table in enumerate(personal_tables()):
        yield ("," if number else "") + "\n" + json.dumps(table.label) + ": ["
        for row_number, row in enumerate(_rows(table, user)):
            yield ("," if row_number else "") + "\n  " + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)
        yield "]"
    yield "\n}\n"


def csv_export(user: User) -> Iterator[bytes]:
    """Yield a zip archive with a CSV file per table that has rows, written while they are read."""
    sink = _Sink()
    with zipfile.ZipFile(cast(IO[bytes], sink), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README)
        for table in personal_tables():
            rows = _rows(table, user)
            first = next(rows, None)
            if first is None:
                continue
            with archive.open(f"{table.label}.csv", "w") as file:
                for line in _csv_lines(first, rows):
                    file.write(line.encode())
                    if sink.size > 1 << 16:
                        yield sink.take()
    yield sink.take()


def _cell(value: object) -> object:
    if isinstance(value, (dict, list)):
        value = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    return safe_cell(value)


class _Sink:
    """A write-only file whose content is consumed while it is written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data, self._parts, self.size = b"".join(self._parts), [], 0
        return data


def _paths(model: type[Model], paths_by_model: dict[type[Model], tuple[str, ...]]) -> tuple[str, ...]:
    links = [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
    direct = tuple(field.name for field in links if field.related_model is User)
    through = [
        f"{field.name}__{path}"
        for field in links
        if field.related_model in paths_by_model and field.related_model is not User
        for path in paths_by_model[field.related_model]
    ]
    return direct or tuple(through)


def _rows(table: PersonalTable, user: User) -> Iterator[dict[str, Any]]:
    """Yield the listener's rows in chunks by id, so that memory does not grow with them."""
    secret = SECRET_COLUMNS.get(table.label, set())
    named = [field for _name, field in table.columns if isinstance(field, ForeignKey) and _is_telling(field)]
    rows, last = table.rows_of(user).order_by("pk").select_related(*(field.name for field in named)), None
    while chunk := list((rows if last is None else rows.filter(pk__gt=last))[:_CHUNK]):
        for row in chunk:
            values = {
                name: HIDDEN if name in secret and field.value_from_object(row) else _plain(field, row)
                for name, field in table.columns
            }
            yield values | {field.name: _name_of(getattr(row, field.name)) for field in named}
        last = chunk[-1].pk


def _is_telling(field: "ForeignKey[Any, Any]") -> bool:
    """Whether an id needs a name beside it: songs, artists, genres and blends."""
    model = field.related_model._meta
    return bool(model.app_label == "catalog" or model.label in NAMED_TABLES)


def _name_of(row: Model | None) -> str:
    """Return a row's name; of what the operator keeps to themselves, such as an address, the name for listeners."""
    return str(getattr(row, "shown_name", row or ""))


def _plain(field: "Field[Any, Any]", row: Model) -> Any:
    value = field.value_from_object(row)
    return value.name if isinstance(field, FileField) else value


def _csv_lines(first: dict[str, Any], rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(first)
    writer.writerow([_cell(value) for value in first.values()])
    yield _emptied(buffer)
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
        yield _emptied(buffer)


def _emptied(buffer: StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
