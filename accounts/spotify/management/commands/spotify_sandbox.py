"""Run the sandbox, to try "Connect Spotify" without an app registered at Spotify."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.spotify.sandbox.seed import furnished_world, site_environment
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import FAULTS, Fault

CALLBACK = "/accounts/spotify/login/callback/"


class Command(BaseCommand):
    """``manage.py spotify_sandbox``."""

    # It is no part of the site, and starts without it.
    requires_system_checks: list[str] = []

    help = (
        "Run a local server that behaves like the parts of Spotify's accounts service and Web API that this site "
        "uses. Start the site with the settings it prints. For development only: needs DEBUG=true and answers on "
        "this machine only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8090, help="Port on 127.0.0.1 (default: %(default)s).")
        parser.add_argument(
            "--redirect-uri",
            action="append",
            help="A registered redirect URI. A loopback address without a port matches any port "
            f"(default: http://127.0.0.1{settings.BASE_PATH}{CALLBACK}).",
        )
        parser.add_argument(
            "--catalogue",
            type=Path,
            default=settings.BASE_DIR / "data" / "demo_catalogue.csv",
            help="CSV file of songs.",
        )
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="KIND[:PATH[:TIMES]]",
            help=f"Have a fault: {', '.join(FAULTS)}; of the next TIMES calls below PATH (default: /v1/, once). More "
            "while it runs: curl -d fault=429 -d path=/v1/search -d times=2 .../_sandbox/faults",
        )

        parser.add_argument(
            "--faults",
            choices=["hostile"],
            help="hostile: do all that Spotify may do: calls that fail now and then, songs that are gone or relinked, "
            "a device that takes no commands, another song after a while, playlists taken out of the library.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("the sandbox is for development only. Set DEBUG=true to use it.")
        world = self._world(options)
        world.faults = [_fault(text) for text in options["fault"]]
        if options["faults"] == "hostile":
            world.make_hostile()
        try:
            server = SandboxServer(world, port=options["port"], is_loud=options["verbosity"] > 0)
        except (OSError, OverflowError) as error:
            raise CommandError(f"--port {options['port']}: {error}") from error
        if options["verbosity"]:
            self._say(server.url)
        server.serve()

    def _say(self, url: str) -> None:
        self.stdout.write(f"Spotify sandbox on {url}. Run the site with:")
        for name, value in site_environment(url).items():
            self.stdout.write(f"  {name}={value}")
        self.stdout.write("Then open http://127.0.0.1:PORT/ (“localhost” is refused, as on Spotify).")
        self.stdout.flush()

    def _world(self, options: dict[str, Any]) -> Any:
        path = f"{settings.BASE_PATH}{CALLBACK}"
        redirects = options["redirect_uri"] or [f"http://127.0.0.1{path}", f"http://[::1]{path}"]
        try:
            return furnished_world(options["catalogue"], redirects)
        except OSError as error:
            raise CommandError(f"--catalogue: {error}") from error
        except (KeyError, ValueError) as error:
            raise CommandError(
                f"--catalogue {options['catalogue']}: needs the same columns as the demo catalogue: {error}"
            ) from error


def _fault(text: str) -> Fault:
    kind, _colon, rest = text.partition(":")
    path, _colon, times = rest.partition(":")
    if kind not in FAULTS or not (times or "1").isdigit():
        raise CommandError(f"--fault {text}: KIND[:PATH[:TIMES]], KIND one of {', '.join(FAULTS)}")
    return Fault(kind, path or "/v1/", int(times or 1))
