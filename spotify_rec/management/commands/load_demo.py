"""Load the invented songs and listeners, and make two log-ins to look around with."""

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from spotify_rec.demo import LISTENER, OPERATOR, LogIn, load_catalogue, load_listeners, make_log_in


class Command(BaseCommand):
    """``manage.py load_demo``."""

    help = (
        "Load a made-up catalogue and a dozen made-up listeners, train a model, and print log-ins for a listener "
        "and an operator. If you run it again, it keeps everything done on the site and sets new passwords. Needs "
        "DEBUG=true."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port",
            type=int,
            default=os.environ.get("PORT") or 8000,
            help="Where the site will be served, for the lines that are printed (default: PORT, or 8000).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("load_demo prints passwords, so it only runs when DEBUG is true.")
        report = load_catalogue()
        self.stdout.write(
            f"demo songs: {report.songs_created:,} created, {report.songs_updated:,} updated, "
            f"{report.songs_unchanged:,} unchanged"
        )
        self.stdout.write(f"demo listeners: {load_listeners()} created")
        try:
            call_command("retrain", if_needed=True, stdout=self.stdout)
        except CommandError as error:
            # The site runs without a model too, and says so on its pages.
            self.stderr.write(f"retrain: {error}")
        listener = make_log_in(username=LISTENER, is_operator=False)
        operator = make_log_in(username=OPERATOR, is_operator=True)
        self.stdout.write(_box(listener, operator, options["port"]))


def _box(listener: LogIn, operator: LogIn, port: int) -> str:
    lines = [
        f"{settings.SITE_NAME}: http://127.0.0.1:{port}/",
        "",
        _line("Listener", listener),
        _line("Operator", operator),
        "",
        "All songs, artists and listeners are made up.",
        "These passwords change every time the demo is loaded.",
    ]
    width = max(map(len, lines))
    rule = "+" + "-" * (width + 4) + "+"
    return "\n".join(["", rule, *(f"|  {line:<{width}}  |" for line in lines), rule, ""])


def _line(role: str, log_in: LogIn) -> str:
    if log_in.password is None:
        return f"{role}:  there is already a different account called {log_in.username}, so it was left unchanged"
    return f"{role}:  {log_in.username}  password  {log_in.password}"
