"""The registry of job kinds. Other apps add theirs in ``AppConfig.ready``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from uuid import UUID

    from django.utils.functional import Promise


class JobRecord(Protocol):
    """What a handler reads of the job it does: a row of ``jobs.models.Job``."""

    @property
    def pk(self) -> Any:
        """The record's id."""

    @property
    def arguments(self) -> Any:
        """The arguments by name."""

    @property
    def subject(self) -> str:
        """What it works on."""

    @property
    def user_id(self) -> int | None:
        """The user who requested it."""


class Run(Protocol):
    """One run of a job, as its handler sees it; ``jobs.running.JobRun`` is what it is given."""

    @property
    def job(self) -> JobRecord:
        """The job."""

    def report(self, step: str, share: float) -> None:
        """Report progress (``share``: 0..1); may raise exceptions that the handler must let through."""

    def give_way(self) -> None:
        """Yield to other waiting jobs; may raise exceptions that the handler must let through."""

    def log(self, line: str) -> None:
        """Add a line to the job's log."""

    def check(self) -> None:
        """Write step, share and log, and see whether the job may go on."""


def subject_number(run: Run) -> int:
    """Return the number of the row that the run's job works on: 7 for the subject "history-import:7"."""
    return int(run.job.subject.rpartition(":")[2])


Runner = Callable[[int, "UUID", str], None]


@dataclass(frozen=True)
class Kind:
    """A kind of work.

    handler: does it; is given the run, whose ``job.arguments`` say what to do. What it returns is the log's last line.
        It may be run again after it was killed at any place, and has to end the same.
    every: how long after one run the next begins, asked anew each time; ``None``: not by itself.
    is_startable: whether operators may start it from the administration, without arguments.
    """

    name: str
    label: str | Promise
    handler: Callable[[Run], str]
    every: Callable[[], timedelta | None] | None = None
    is_startable: bool = False


_kinds: dict[str, Kind] = {}
_runners: list[Runner] = []


def register_kind(kind: Kind) -> None:
    """Add a kind of work; registering the same again changes nothing."""
    _kinds[kind.name] = kind


def register_runner(runner: Runner) -> None:
    """Set the function that runs a job, given its id, the id of its row in the queue and the worker's name."""
    _runners[:] = [runner]


def run_job_by_id(job_id: int, task_id: UUID, worker: str) -> None:
    """Run a job with the registered runner; without one, raise ``IndexError``."""
    _runners[-1](job_id, task_id, worker)


def kind_of(name: str) -> Kind | None:
    """Return the kind of that name; ``None`` where this version of the site knows none (any more)."""
    return _kinds.get(name)


def label_of(name: str) -> str:
    """Return the label of the kind."""
    return str(_kinds[name].label) if name in _kinds else name


def all_kinds() -> list[Kind]:
    """Return all kinds, by name."""
    return [_kinds[name] for name in sorted(_kinds)]
