"""Lists of blends take as many queries for thirty rows as for one."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from recommender.models import Blend, BlendFit, BlendInvitation, BlendMember, BlendSong
from recommender.tests.builders import make_track, make_user

pytestmark = pytest.mark.django_db


def add_rows(user: User, numbers: range) -> None:
    for number in numbers:
        track = make_track(f"Row {number}", ["Row artist"], ["row genre"])
        blend = Blend.objects.create(name=f"Blend {number}", listed_members=2)
        guest = make_user(f"guest{number}")
        members = [
            BlendMember.objects.create(blend=blend, user=listener, seat=seat)
            for seat, listener in enumerate([user, guest])
        ]
        oldest = Blend.objects.earliest("pk")
        BlendInvitation.objects.create(blend=oldest, invited_by=oldest.members.get(user=user), username=f"name{number}")
        for other in {blend, oldest}:
            song = BlendSong.objects.create(blend=other, track=track, position=number)
            for member in other.members.all():
                BlendFit.objects.create(song=song, member=member, score=1.0, reason={"terms": {}, "causes": []})
        theirs = Blend.objects.create(name=f"Other {number}")
        host = BlendMember.objects.create(blend=theirs, user=members[1].user, seat=0)
        BlendInvitation.objects.create(blend=theirs, invited_by=host, username=user.username)


def test_thirty_rows_take_as_many_queries_as_one(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    add_rows(user, range(1))
    oldest = Blend.objects.earliest("pk").pk
    paths = ["/blends/", f"/blends/{oldest}/", "/api/blends?size=100", f"/api/blends/{oldest}"]
    paths.append("/api/user/blend-invitations?size=100")

    def queries() -> dict[str, int]:
        counts = {}
        for path in paths:
            client.get(path)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            counts[path] = len(captured)
        return counts

    first = queries()
    add_rows(user, range(1, 30))
    assert queries() == first
    assert client.get(f"/blends/{oldest}/").content.decode().count('class="track-row"') == 30
    assert len(client.get("/api/user/blend-invitations?size=100").json()["items"]) == 30
