from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from jobs.tests.helpers import database_url


@pytest.fixture
def other_database(tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty database beside that of the tests."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path / 'other.sqlite3'}"
        return
    name = f"{connection.settings_dict['NAME']}_other"
    quoted = connection.ops.quote_name(name)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted}")
        cursor.execute(f"CREATE DATABASE {quoted}")
    yield database_url().removesuffix(connection.settings_dict["NAME"]) + name
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {quoted}")
