"""Load the invented songs and listeners, and make two log-ins to look around with."""

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from spotify_rec.demo import LISTENER, OPERATOR, LogIn, load_catalogue, load_listeners, make_log_in


class Command(BaseCommand):
    """``manage.py load_demo``."""

    help = (
        "Load an invented catalogue and a dozen invented listeners, retrain, and print a listener's and an operator's "
        "log-in. Run again, it keeps what was done on the site and makes new passwords. For DEBUG only."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("the demo makes log-ins whose passwords are printed: not when DEBUG is false")
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
        self.stdout.write(_box(listener, operator))


def _box(listener: LogIn, operator: LogIn) -> str:
    lines = [
        f"{settings.SITE_NAME}: http://127.0.0.1:{os.environ.get('PORT') or '8000'}/",
        "",
        _line("Listener", listener),
        _line("Operator", operator),
        "",
        "All songs, artists and listeners are invented.",
        "The passwords are made anew each time the demo is loaded.",
    ]
    width = max(map(len, lines))
    rule = "+" + "-" * (width + 4) + "+"
    return "\n".join(["", rule, *(f"|  {line:<{width}}  |" for line in lines), rule, ""])


def _line(role: str, log_in: LogIn) -> str:
    if log_in.password is None:
        return f"{role}:  an account {log_in.username} with an address of its own is here and was left alone"
    return f"{role}:  {log_in.username}  password  {log_in.password}"
