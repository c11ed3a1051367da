"""Check a lock file against an offline copy of the advisory database: ``audit_offline.py DATABASE.zip LOCK...``.

The database is OSV's export for PyPI, fetched where there is a network:
https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip. Each advisory names the versions that it is about.
"""

import json
import re
import sys
import zipfile
from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pinned(lock: Path) -> dict[str, str]:
    """Return the version of each package of a lock file, by its normal name (PEP 503)."""
    return {_normal(name): version for name, version in _PIN.findall(lock.read_text())}


def advisories(database: Path, versions: dict[str, str]) -> list[str]:
    """Return a line for each advisory about one of these versions. Raises ``ValueError`` for an empty database."""
    lines, count = [], 0
    with zipfile.ZipFile(database) as archive:
        for member in archive.namelist():
            if not member.endswith(".json"):
                continue
            count += 1
            advisory = json.loads(archive.read(member))
            if advisory.get("withdrawn"):
                continue
            for affected in advisory.get("affected", []):
                package = affected.get("package", {})
                name = _normal(package.get("name", ""))
                if package.get("ecosystem") == "PyPI" and versions.get(name) in affected.get("versions", []):
                    lines.append(f"{name} {versions[name]}: {advisory['id']} {advisory.get('summary', '')}".strip())
    if not count:
        raise ValueError(f"{database} holds no advisory")
    return sorted(set(lines))


def main(arguments: list[str]) -> int:
    """Print what is known of the packages in use; 1 if anything is."""
    database, *locks = map(Path, arguments)
    versions = {name: version for lock in locks for name, version in pinned(lock).items()}
    lines = advisories(database, versions)
    print("\n".join(lines) or f"{len(versions)} packages, no known vulnerability in {database}.")
    return int(bool(lines))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
