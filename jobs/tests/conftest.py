"""What the tests of jobs share."""

from collections.abc import Callable, Iterator

import pytest
from django_tasks_db.models import DBTaskResult

from jobs import registry
from jobs.registry import Kind, Run, register_kind

Register = Callable[..., Kind]


@pytest.fixture
def kind() -> Iterator[Register]:
    """Return a function that registers a kind of work called "try" until the test ends; others are away meanwhile."""
    others = dict(registry._kinds)
    registry._kinds.clear()

    def register(handler: Callable[[Run], str], **options: object) -> Kind:
        made = Kind(name="try", label="Try", handler=handler, **options)  # type: ignore[arg-type]
        register_kind(made)
        return made

    yield register
    registry._kinds.clear()
    registry._kinds.update(others)


@pytest.fixture
def queued() -> Callable[[], int]:
    """Return how many rows of the queue wait."""
    return lambda: DBTaskResult.objects.filter(status="READY").count()
