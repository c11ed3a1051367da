"""Writes that may lose to another worker's."""

from threading import Barrier, BrokenBarrierError

import pytest
from django.db import IntegrityError, OperationalError, transaction

from jobs.models import Job
from jobs.races import conflict_as_integrity_error, retry_conflicts
from jobs.tests.threads import run_together


def _insert(keys: str, half_way: Barrier) -> str:
    """Insert jobs of the keys, and wait after the first until the other has one too, or cannot."""
    try:
        with conflict_as_integrity_error():
            for key in keys:
                Job.objects.create(kind="test", subject=key, active_subject=key)
                try:
                    half_way.wait(timeout=1)
                except BrokenBarrierError:
                    continue
    except IntegrityError:
        return "lost"
    return "won"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other", ["ab", "ba"])
def test_of_two_that_write_the_same_keys_one_loses_in_whatever_order(other: str) -> None:
    """In crossed order the servers end one as a deadlock; SQLite lets them write one after the other."""
    half_way = Barrier(2)
    ends = run_together(lambda: _insert("ab", half_way), lambda: _insert(other, half_way))
    assert sorted(ends) == ["lost", "won"]
    assert sorted(Job.objects.values_list("subject", flat=True)) == ["a", "b"]


@pytest.mark.django_db(transaction=True)
def test_what_is_no_race_and_what_ends_a_transaction_around_it_stay_what_they_are() -> None:
    with pytest.raises(OperationalError, match="disk"), conflict_as_integrity_error():
        raise OperationalError("disk is full")
    with pytest.raises(OperationalError, match="Deadlock"), transaction.atomic(), conflict_as_integrity_error():
        raise OperationalError(1213, "Deadlock found")
    with pytest.raises(IntegrityError, match="Deadlock"), conflict_as_integrity_error():
        raise OperationalError(1213, "Deadlock found")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("conflicts", "resets"), [(0, 0), (1, 1), (2, 2)])
def test_a_write_that_lost_is_tried_again_after_a_reset(conflicts: int, resets: int) -> None:
    events: list[str] = []

    def write() -> str:
        Job.objects.create(kind="test", subject="once")
        events.append("write")
        if events.count("write") <= conflicts:
            raise IntegrityError("taken")
        return "written"

    assert retry_conflicts(write, reset=lambda: events.append("reset")) == "written"
    assert events == ["write", "reset"] * resets + ["write"]
    assert Job.objects.filter(subject="once").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("error", "tries"), [(IntegrityError, 3), (ValueError, 1)])
def test_other_errors_and_the_last_conflict_are_raised_after_a_reset(error: type[Exception], tries: int) -> None:
    events: list[str] = []

    def write() -> None:
        events.append("write")
        raise error("no")

    with pytest.raises(error, match="no"):
        retry_conflicts(write, reset=lambda: events.append("reset"))
    assert events == ["write", "reset"] * tries
