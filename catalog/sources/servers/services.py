"""Music servers and folders: connect, read, disable."""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.db import reset_queries, transaction
from django.db.models import F
from django.utils import timezone

from accounts.tokens.services import digest_of
from catalog.models import MusicServer, ServerSong
from catalog.sources.folders.files import FolderError
from catalog.sources.folders.reading import walk as walk_folder
from catalog.sources.library.songs import SourceSong
from catalog.sources.library.writing import LibraryWriter, note_files
from catalog.sources.subsonic.client import Abilities, Login, SubsonicClient, SubsonicError, is_safe_for_passwords
from catalog.sources.subsonic.walking import walk

Progress = Callable[[int, int], None]
"""``progress(done, total)``: songs so far, and how many there were the last time (0 where unknown)."""


class LibraryError(Exception):
    """A server or a folder cannot be used as it is; the message says why."""


READ_ERRORS = (LibraryError, SubsonicError, FolderError)
"""What a reading may end in, with a message for the operator."""


@dataclass(frozen=True)
class ReadReport:
    """What a reading did: numbers of songs as the server counts them; ``gone`` are those it has lost.

    ``unreadable``: paths of files in a folder that are no music, or damaged.
    """

    songs: int
    created: int
    matched: int
    changed: int
    unchanged: int
    gone: int
    unreadable: Sequence[str] = ()


def clean_address(address: str) -> str:
    """Return a server's address without a slash at its end. Raise ``LibraryError`` for what is none."""
    try:
        url = urlsplit(address.strip())
        is_whole = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or len(address) > 500:
        raise LibraryError("address: must look like https://music.example.org or http://192.168.1.2:4533")
    if url.username is not None or url.password is not None or url.query or url.fragment:
        raise LibraryError("address: must not hold a username, a password, ? or #")
    path = url.path.rstrip("/").removesuffix("/rest")
    return f"{url.scheme}://{url.netloc}{path}"


def connect_server(
    *, address: str, username: str, secret: str, is_api_key: bool = False, name: str | None = None
) -> MusicServer:
    """Log in to a server and store it; connecting it again changes the log-in. Not atomic: it waits for the server.

    ``name``: what listeners see of it; ``None`` leaves it as it is. Raise ``LibraryError`` or ``SubsonicError``.
    """
    address = clean_address(address)
    if not secret or not (username or is_api_key):
        raise LibraryError("a username and a password, or an API key, must be given")
    if is_api_key and not is_safe_for_passwords(address):
        raise LibraryError("an API key may only go to an address with https://, or within your own network")
    abilities = SubsonicClient(address, Login(username, secret, is_api_key)).probe()
    with transaction.atomic():
        server, _is_new = MusicServer.objects.update_or_create(
            address=address,
            defaults={
                "kind": MusicServer.Kind.SUBSONIC,
                "username": "" if is_api_key else username,
                "secret": secret,
                "is_api_key": is_api_key,
                "is_active": True,
                "abilities": asdict(abilities),
                "error": "",
                **({} if name is None else {"name": name[:60]}),
            },
        )
        _note_files_of(server)
    return server


def connect_folder(*, path: Path) -> MusicServer:
    """Store a folder to read songs from, or enable it again. Raise ``LibraryError`` for what is no folder."""
    folder = path.expanduser().resolve()
    if not folder.is_dir():
        raise LibraryError(f"{path}: isn't a folder")
    try:
        address = os.fsencode(folder).decode()
    except UnicodeDecodeError as error:
        raise LibraryError(f"{path}: must have a name in UTF-8") from error
    if len(address) > 500:
        raise LibraryError(f"{path}: must not be longer than 500 characters")
    server, is_new = MusicServer.objects.get_or_create(address=address, defaults={"kind": MusicServer.Kind.FOLDER})
    if not is_new and not server.is_active:
        set_server_active(server=server, is_active=True)
        server.is_active = True
    return server


@transaction.atomic
def set_server_active(*, server: MusicServer, is_active: bool) -> None:
    """Play and read from a server, or no longer."""
    MusicServer.objects.filter(pk=server.pk).update(is_active=is_active)
    _note_files_of(server)


@transaction.atomic
def set_proxied(*, server: MusicServer, is_proxied: bool) -> None:
    """Let players reach a server through this site, in place of any other, or no longer. Raise ``LibraryError``."""
    if is_proxied and server.kind != MusicServer.Kind.SUBSONIC:
        raise LibraryError(f"{server}: must be a music server, not a folder")
    MusicServer.objects.filter(is_proxied=True).exclude(pk=server.pk).update(is_proxied=False)
    MusicServer.objects.filter(pk=server.pk).update(is_proxied=is_proxied)


def create_plugin_token(*, server: MusicServer) -> str:
    """Create the token of a server's plug-in in place of the old one; return it: only its digest is stored.

    Raise ``LibraryError``.
    """
    if server.kind != MusicServer.Kind.SUBSONIC:
        raise LibraryError(f"{server}: must be a music server, not a folder")
    token = secrets.token_urlsafe(32)
    MusicServer.objects.filter(pk=server.pk).update(plugin_digest=digest_of(token))
    return token


def revoke_plugin_token(*, server: MusicServer) -> None:
    """Let the server's plug-in ask no more."""
    MusicServer.objects.filter(pk=server.pk).update(plugin_digest="")


def server_of_plugin(token: str) -> MusicServer | None:
    """Return the server whose plug-in has that token."""
    rows = MusicServer.objects.filter(is_active=True, plugin_digest=digest_of(token)) if token else None
    return rows.first() if rows is not None else None


@transaction.atomic
def remove_server(*, server: MusicServer) -> None:
    """Forget a server; its songs stay in the catalogue, without files."""
    tracks = list(ServerSong.objects.filter(server=server).values_list("track_id", flat=True))
    server.delete()
    _note(tracks)


def client_of(server: MusicServer) -> SubsonicClient:
    """Return a client for a server."""
    login = Login(server.username, server.secret, server.is_api_key)
    return SubsonicClient(server.address, login, abilities_of(server))


def abilities_of(server: MusicServer) -> Abilities:
    """Return what a server can do, as it was stored."""
    known = {name: value for name, value in dict(server.abilities).items() if name in Abilities.__dataclass_fields__}
    return Abilities(**known)


def read_server(server: MusicServer, progress: Progress = lambda _done, _total: None) -> ReadReport:
    """Read all songs of a server or a folder; what stops half-way is finished by reading again.

    Raise ``LibraryError``, ``SubsonicError`` of a server and ``FolderError`` of a folder, which are noted with it, and
    what ``progress`` raises.
    """
    try:
        report = _read(server, progress)
    except READ_ERRORS as error:
        MusicServer.objects.filter(pk=server.pk).update(error=str(error)[:1000])
        raise
    MusicServer.objects.filter(pk=server.pk).update(error="", read_at=timezone.now())
    return report


def _read(server: MusicServer, progress: Progress) -> ReadReport:
    MusicServer.objects.filter(pk=server.pk).update(reading=F("reading") + 1)
    reading = MusicServer.objects.values_list("reading", flat=True).get(pk=server.pk)
    present = ServerSong.objects.filter(server=server, gone_at=None)
    total = present.count()
    writer, done = LibraryWriter(server, reading), 0
    unreadable: list[str] = []
    for batch in _batches_of(server, unreadable):
        writer.write(batch)
        done += len(batch)
        # With DEBUG on, Django keeps every statement.
        reset_queries()
        progress(done, total)
    if not done and total:
        # An empty result means a disk that is not mounted, or a library that is being scanned.
        raise LibraryError(f"{server}: has no songs any more, {total:,} before. Nothing was changed.")
    gone = writer.finish()
    counts = writer.counts
    numbers = (counts["created"], counts["matched"], counts["changed"], counts["unchanged"])
    return ReadReport(done, *numbers, gone, unreadable)


def _batches_of(server: MusicServer, unreadable: list[str]) -> Iterator[Sequence[SourceSong]]:
    if server.kind == MusicServer.Kind.FOLDER:

        def digests(remote_ids: Sequence[str]) -> dict[str, str]:
            songs = ServerSong.objects.filter(server=server, remote_id__in=remote_ids)
            return dict(songs.values_list("remote_id", "digest"))

        return walk_folder(Path(server.address), digests, unreadable)
    client = client_of(server)
    # It may have been updated since.
    abilities = client.probe()
    MusicServer.objects.filter(pk=server.pk).update(abilities=asdict(abilities))
    return walk(client)


def _note_files_of(server: MusicServer) -> None:
    _note(list(ServerSong.objects.filter(server=server).values_list("track_id", flat=True)))


def _note(track_ids: Sequence[int]) -> None:
    for start in range(0, len(track_ids), 500):
        note_files(track_ids[start : start + 500])


def seal_again() -> tuple[int, int]:
    """Encrypt the servers' secrets with the first key; return how many, and how many no key opens."""
    done = failed = 0
    for server in MusicServer.objects.filter(kind=MusicServer.Kind.SUBSONIC):
        if server.secret:
            server.save(update_fields=["secret"])
            done += 1
        else:
            failed += 1
    return done, failed
