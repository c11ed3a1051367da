"""A database without the tables and columns that this release needs: one line that says what to run."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection

from jobs.patience import reason_of_absence


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["SELECT 1 FROM no_table", "SELECT no_column FROM catalog_track"])
def test_what_migrations_make_is_missed(query: str) -> None:
    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute(query)
    reason = reason_of_absence(caught.value)
    assert reason is not None
    assert reason.startswith("the database isn't ready for this release: ")
    assert query.split()[3 if "no_table" in query else 1] in reason
    assert reason.endswith(". Run: manage.py migrate")


@pytest.mark.django_db
def test_a_wrong_query_is_no_missing_migration() -> None:
    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute("SELECT FROM WHERE")
    assert "Run: manage.py migrate" not in (reason_of_absence(caught.value) or "")
