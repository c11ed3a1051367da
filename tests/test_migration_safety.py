"""During a rolling restart two releases run on one database: what a release adds must not break the one before.

A new column is nullable or has a default in the database, since the code before writes rows without it; nothing that
the code before reads is removed, renamed or made stricter in the same release.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

RELEASED = {
    "accounts": "0007",
    "accounts_spotify": "0002",
    "catalog": "0008",
    "feedback": "0011",
    "jobs": "0002",
    "recommender": "0005",
}
"""The last migration of each app in the last release; `make release` is followed by moving it on."""
BREAKING = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.RenameModel,
    migrations.DeleteModel,
    migrations.AlterModelTable,
)


def unsafe(operation: Any, created: set[str]) -> str:
    """Return what the release before could not live with; ``created``: the release's own new tables, lower case."""
    model = str(getattr(operation, "model_name", "") or getattr(operation, "name", "")).lower()
    if model in created:
        return ""
    if isinstance(operation, BREAKING):
        return f"{type(operation).__name__} of {model} takes away what the release before reads"
    if isinstance(operation, migrations.AddField):
        field = operation.field
        is_relation_table = isinstance(field, models.ManyToManyField)
        if not (field.null or field.has_db_default() or is_relation_table):
            return f"{model}.{operation.name} needs null=True or db_default: the release before writes rows without it"
    return ""


def new_migrations() -> Iterator[tuple[str, migrations.Migration]]:
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        if app in RELEASED and name[:4] > RELEASED[app]:
            yield f"{app}.{name}", migration


def test_migrations_since_the_last_release_are_safe_for_the_code_before() -> None:
    wrong = []
    created: dict[str, set[str]] = {}
    for name, migration in new_migrations():
        mine = created.setdefault(migration.app_label, set())
        mine |= {op.name.lower() for op in migration.operations if isinstance(op, migrations.CreateModel)}
        wrong += [f"{name}: {text}" for op in migration.operations if (text := unsafe(op, mine))]
    assert wrong == []


@pytest.mark.parametrize(
    ("operation", "is_safe"),
    [
        (migrations.AddField("song", "mood", models.CharField(max_length=5)), False),
        (migrations.AddField("song", "mood", models.CharField(max_length=5, default="")), False),
        (migrations.AddField("song", "mood", models.CharField(max_length=5, null=True)), True),
        (migrations.AddField("song", "mood", models.CharField(max_length=5, db_default="")), True),
        (migrations.AddField("new", "mood", models.CharField(max_length=5)), True),
        (migrations.RemoveField("song", "mood"), False),
        (migrations.RenameField("song", "mood", "temper"), False),
        (migrations.DeleteModel("song"), False),
    ],
)
def test_the_check_bites(operation: Any, *, is_safe: bool) -> None:
    assert (unsafe(operation, {"new"}) == "") == is_safe


def test_the_list_names_the_apps_that_have_tables() -> None:
    ours = {config.label for config in apps.get_app_configs() if config.label in MigrationLoader(None).migrated_apps}
    assert set(RELEASED) <= ours
