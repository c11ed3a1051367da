"""Find the plays that several sources recorded, and remove or restore them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import User
from feedback.plays.doubles import doubles_of, listeners_with_histories, put_doubles_back, remove_doubles
from feedback.plays.models import Play

_SHOWN = 5


class Command(BaseCommand):
    """Show the doubles of each listener; with ``--remove`` take them out, with ``--put-back`` put them back."""

    help = (
        "Find duplicate plays, which two sources such as Spotify and Last.fm have recorded. --remove removes the ones "
        "with fewer details, and --put-back restores them. Listeners can do the same on the import page."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", metavar="NAME", help="Only for this listener.")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--remove", action="store_true", help="Remove the duplicates.")
        how.add_argument("--put-back", action="store_true", help="Restore what was removed.")

    def handle(self, *_args: Any, **options: Any) -> None:
        total = 0
        for user in self._listeners(options["user"], is_back=options["put_back"]):
            if options["put_back"]:
                number = put_doubles_back(user=user)
            elif options["remove"]:
                number = remove_doubles(user=user)
            else:
                number = self._show(user)
            total += number
            if number:
                self.stdout.write(f"{user.username}: {number:,}")
        done = "Restored" if options["put_back"] else "Removed" if options["remove"] else "Found"
        self.stdout.write(f"{done} {total:,} duplicates.")

    def _listeners(self, name: str | None, *, is_back: bool) -> Any:
        if name is None:
            return (
                User.objects.filter(removed_doubles__isnull=False).distinct() if is_back else listeners_with_histories()
            )
        listeners = User.objects.filter(username=name)
        if not listeners:
            raise CommandError(f"There is no listener called “{name}”.")
        return listeners

    def _show(self, user: User) -> int:
        number, first = doubles_of(user, _SHOWN)
        for double in first:
            self.stdout.write(f"  {double.play.track}: {_told(double.play)} duplicates {_told(double.counterpart)}.")
        return number


def _told(play: Play) -> str:
    return f"{timezone.localtime(play.played_at):%Y-%m-%d %H:%M:%S} ({play.told_by})"
