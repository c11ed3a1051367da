"""Reads of imports from Spotify and playlists saved there. None of them calls Spotify."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts.models import User
from feedback.spotify_import.models import PARTS, Resumable, SpotifyImport, SpotifyPlaylist, SpotifyPlaylistImport
from jobs.models import Job

SHOWN_IMPORTS = 20


@dataclass(frozen=True)
class Transfer:
    """A record with its latest job."""

    record: Any
    job: Job | None

    @property
    def is_busy(self) -> bool:
        """Whether it goes on by itself, now or later."""
        return self.job is not None and self.job.is_active

    @property
    def waits_until(self) -> Any:
        """When it goes on, if that is later; otherwise ``None``."""
        is_later = self.job is not None and self.job.run_after is not None and self.job.run_after > timezone.now()
        return self.job.run_after if is_later and self.job is not None and self.is_busy else None

    @property
    def has_stopped(self) -> bool:
        """Whether it ended before its end, and nothing says why."""
        return not self.is_busy and not self.record.error and not self.record.is_complete


@dataclass(frozen=True)
class Progress:
    """Everything of a listener that came from Spotify or goes there."""

    spotify_import: Transfer | None
    imports: list[Transfer]
    saved: list[Transfer]

    @property
    def is_busy(self) -> bool:
        """Whether anything goes on by itself."""
        return any(transfer.is_busy for transfer in self._all())

    @property
    def delay(self) -> str:
        """How long a page waits before it asks again."""
        is_running = any(transfer.is_busy and transfer.waits_until is None for transfer in self._all())
        return "1s" if is_running else "30s"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the counts of what was brought, by part."""
        counts = self.spotify_import.record.counts if self.spotify_import is not None else {}
        return [
            {"label": PARTS[part], "total": row.get("found", 0), "unreadable": 0, **row}
            for part, row in counts.items()
            if part in PARTS
        ]

    def _all(self) -> list[Transfer]:
        return [*([self.spotify_import] if self.spotify_import is not None else []), *self.imports, *self.saved]


def progress_of(user: User) -> Progress:
    """Return what is on its way, in four queries."""
    spotify_import = SpotifyImport.objects.filter(user=user).first()
    imports = list(SpotifyPlaylistImport.objects.filter(user=user).select_related("playlist")[:SHOWN_IMPORTS])
    saved = list(SpotifyPlaylist.objects.filter(user=user))
    records: list[Resumable] = [*([spotify_import] if spotify_import is not None else []), *imports, *saved]
    subjects = [record.subject for record in records]
    jobs = {job.subject: job for job in Job.objects.filter(subject__in=subjects).order_by("pk")} if subjects else {}

    def transfer(record: Resumable) -> Transfer:
        return Transfer(record, jobs.get(record.subject))

    return Progress(
        transfer(spotify_import) if spotify_import is not None else None,
        [transfer(record) for record in imports],
        [transfer(record) for record in saved],
    )
