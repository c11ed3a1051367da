"""A web worker keeps the memory it has freed."""

import subprocess
import sys

import pytest
from django.conf import settings

FAULTS = """
import resource, sys
import numpy as np
from accounts.fast.memory import keep_freed_memory

if sys.argv[1] == "kept" and not keep_freed_memory():
    sys.exit(3)

def take_and_free():
    arrays = [np.ones(1_000_000, dtype=np.float32) for _ in range(5)]
    return sum(float(array[0]) for array in arrays)

take_and_free()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    take_and_free()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    """Pages that a process of its own takes from the system while it takes and frees the same arrays twenty times."""
    command = [sys.executable, "-c", FAULTS, how]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("the C library here has no mallopt")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_freed_memory_is_not_asked_of_the_system_again() -> None:
    assert page_faults("kept") < page_faults("given back") / 10
