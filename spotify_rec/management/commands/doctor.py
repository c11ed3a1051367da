"""Say what is set up and what is not, and what to do about it."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from spotify_rec.doctor import Finding, Level, examine

_STYLES = {Level.OK: "SUCCESS", Level.LOOK: "WARNING", Level.BROKEN: "ERROR"}


class Command(BaseCommand):
    """``manage.py doctor``."""

    help = (
        "Look at Python, settings, database, cache, folders, disk, assets, model, worker, clock, mail, Spotify and "
        "proxy, and say of each that it is in order or what to do. Exit status 1 if something does not work."
    )
    # It tells what these find.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="For programs.")
        parser.add_argument("--url", default="", help="Also ask the site at its public address, through the proxy.")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in examine(options["url"]):
            findings.append(finding)
            if not options["json"]:
                self._tell(finding)
        is_well = all(finding.level != Level.BROKEN for finding in findings)
        if options["json"]:
            report = {"ok": is_well, "findings": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False))
        if not is_well:
            sys.exit(1)

    def _tell(self, finding: Finding) -> None:
        mark = getattr(self.style, _STYLES[finding.level])(f"{finding.level.upper():<6}")
        self.stdout.write(f"{mark}  {finding.name:<8}  {finding.text}")
        if finding.advice:
            self.stdout.write(f"{'':<18}-> {finding.advice}")
