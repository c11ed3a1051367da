"""All checks, in the order of the report."""

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
    "openid": services.openid_connect,
    "proxy": services.proxy,
}


def examine(url: str = "") -> Iterator[Finding]:
    """Yield all findings; with ``url`` also those about the site at that address."""
    examinations = {**EXAMINATIONS, **({"address": lambda: outside.address(url)} if url else {})}
    for name, examination in examinations.items():
        finding = _guarded(name, examination)
        yield replace(finding, advice=finding.advice.replace("manage.py ", "earworm ")) if IS_INSTALLED else finding


def _guarded(name: str, examination: Callable[[], Finding]) -> Finding:
    """Return the finding of a check; a check that fails is a finding as well."""
    try:
        return examination()
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return broken(
            name, f"cannot be looked at: {lines[0]}", _ADVICE.get(name, "see whether the database is in order")
        )


_ADVICE = {"database": "see that DATABASE_URL is right, and that the server runs and takes this user in"}
