"""Puts the invented catalogue and listeners into the database. Used by ``manage.py load_demo`` only."""

import json
import secrets
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import serializers
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from catalog.importing.service import ImportReport, import_tracks
from catalog.models import INVENTED_ID_PREFIX, Genre, Track

CATALOGUE = settings.BASE_DIR / "data" / "demo_catalogue.csv"
LISTENERS = settings.BASE_DIR / "fixtures" / "demo_listeners.json"
OPERATOR, LISTENER = "operator", "listener"
DATE_FIELDS = ("created_at", "updated_at", "played_at")
EMAIL_DOMAIN = "example.org"
# Without characters that are easily confused (0 and o, 1 and l).
_PASSWORD_SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"  # noqa: S105 - the alphabet, not a password

Record = dict[str, Any]


@dataclass(frozen=True)
class LogIn:
    """A log-in that was just made; ``password`` is ``None`` where an account of that name is not the demo's."""

    username: str
    password: str | None


def load_catalogue() -> ImportReport:
    """Import the invented songs, marked as such."""
    return import_tracks(source=CATALOGUE, origin=Track.Origin.DEMO)


@transaction.atomic
def load_listeners(*, path: Path = LISTENERS) -> int:
    """Create the fixture's listeners with their feedback and return how many are new.

    Whoever is there already (by name or address) is left as they are, so that nothing a person did on the site in
    their name is lost. Dates are moved so that the latest click happened just now: feedback counts less as it ages.

    Raise ``KeyError`` with the name where a song or a genre of the fixture is missing.
    """
    known = {value.lower() for row in User.objects.values_list("username", "email") for value in row}
    records: list[Record] = json.loads(path.read_text(encoding="utf-8"))
    users = [record["fields"] for record in records if record["model"] == "accounts.user"]
    new = {user["username"] for user in users if known.isdisjoint((user["username"].lower(), user["email"].lower()))}
    mine = _moved_to_now([record for record in records if _owner(record) in new])
    # Users first: feedback names them.
    for item in serializers.deserialize("python", [record for record in mine if record["model"] == "accounts.user"]):
        item.save()
    rest: defaultdict[type[models.Model], list[models.Model]] = defaultdict(list)
    for item in serializers.deserialize("python", _with_ids(mine)):
        rest[type(item.object)].append(item.object)
    for model, objects in rest.items():
        model._default_manager.bulk_create(objects, batch_size=500)
    return len(new)


def _owner(record: Record) -> str:
    fields = record["fields"]
    return str(fields["username"] if record["model"] == "accounts.user" else fields["user"][0])


def _with_ids(records: list[Record]) -> list[Record]:
    """Return what is said of users, songs and genres with ids in place of names: `loaddata` asks for each one anew."""
    ids: dict[str, dict[str | None, int]] = {
        "user": dict(User.objects.values_list("username", "pk")),
        "track": dict(Track.objects.filter(spotify_id__startswith=INVENTED_ID_PREFIX).values_list("spotify_id", "pk")),
        "genre": dict(Genre.objects.values_list("name", "pk")),
    }
    result = []
    for record in records:
        fields = {key: ids[key][value[0]] if key in ids else value for key, value in record["fields"].items()}
        if record["model"] != "accounts.user":
            result.append({**record, "fields": fields})
    return result


def _moved_to_now(records: list[Record]) -> list[Record]:
    """Return ``records`` with their dates moved by one span, so that the latest is now."""
    dates = [
        (record["fields"], field, datetime.fromisoformat(record["fields"][field]))
        for record in records
        for field in DATE_FIELDS
        if field in record["fields"]
    ]
    if dates:
        span = timezone.now().replace(microsecond=0) - max(moment for _fields, _field, moment in dates)
        for fields, field, moment in dates:
            fields[field] = moment + span
    return records


@transaction.atomic
def make_log_in(*, username: str, is_operator: bool) -> LogIn:
    """Give the demo's account ``username`` a new random password and return it; create the account if it is missing.

    An account of that name with another address than the demo's is somebody's own and left alone.
    """
    email = f"{username}@{EMAIL_DOMAIN}"
    user = User.objects.filter(Q(username__iexact=username) | Q(email=email)).first() or User(
        username=username, email=email
    )
    if (user.username, user.email) != (username, email):
        return LogIn(username, None)
    password = "-".join("".join(secrets.choice(_PASSWORD_SIGNS) for _ in range(4)) for _ in range(4))
    user.set_password(password)
    user.is_active = True
    user.is_staff = user.is_superuser = is_operator
    user.save()
    # If e-mails can be sent, only a verified address may log in.
    EmailAddress.objects.update_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return LogIn(username, password)
