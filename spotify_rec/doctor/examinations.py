"""All that is looked at, in the order in which it is told."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from spotify_rec.doctor import data, machine, outside, services
from spotify_rec.doctor.findings import Finding, broken
from spotify_rec.places import IS_INSTALLED

EXAMINATIONS: dict[str, Callable[[], Finding]] = {
    "python": machine.python,
    "settings": services.configuration,
    "database": data.database,
    "cache": data.shared_cache,
    "folders": machine.folders,
    "disk": machine.disk,
    "assets": machine.assets,
    "model": data.model,
    "worker": data.worker,
    "clock": data.clock,
    "mail": services.mail,
    "spotify": services.spotify,
    "proxy": services.proxy,
}


def examine(url: str = "") -> Iterator[Finding]:
    """Yield one finding after the other; with ``url`` also what the site is like at that address."""
    examinations = {**EXAMINATIONS, **({"address": lambda: outside.address(url)} if url else {})}
    for name, examination in examinations.items():
        finding = _guarded(name, examination)
        yield replace(finding, advice=finding.advice.replace("manage.py ", "earworm ")) if IS_INSTALLED else finding


def _guarded(name: str, examination: Callable[[], Finding]) -> Finding:
    """Return what was found; an examination that cannot be made is a finding, too."""
    try:
        return examination()
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return broken(
            name, f"cannot be looked at: {lines[0]}", _ADVICE.get(name, "see whether the database is in order")
        )


_ADVICE = {"database": "see that DATABASE_URL is right, and that the server runs and takes this user in"}
