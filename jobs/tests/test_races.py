"""Writes that may lose to another worker's."""

from threading import Barrier, BrokenBarrierError

import pytest
from django.db import IntegrityError, OperationalError, transaction

from jobs.models import Job
from jobs.races import racing
from jobs.tests.threads import run_together


def _insert(keys: str, half_way: Barrier) -> str:
    """Insert jobs of the keys, and wait after the first until the other has one too, or cannot."""
    try:
        with racing():
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
    with pytest.raises(OperationalError, match="disk"), racing():
        raise OperationalError("disk is full")
    with pytest.raises(OperationalError, match="Deadlock"), transaction.atomic(), racing():
        raise OperationalError(1213, "Deadlock found")
    with pytest.raises(IntegrityError, match="Deadlock"), racing():
        raise OperationalError(1213, "Deadlock found")
