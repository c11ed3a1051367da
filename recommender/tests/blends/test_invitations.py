"""Invitations: they need a yes, tell nobody who has an account, and have limits."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.personal_data.export import json_export
from catalog.models import Track
from recommender.blends import services
from recommender.blends.selectors import invitations_of
from recommender.models import Blend, BlendInvitation, BlendMember, BlendRefusal
from recommender.tests.blends.conftest import join, listener
from recommender.tests.builders import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def kitchen(anna: User) -> BlendMember:
    """Return anna's membership of a blend that she has alone."""
    return BlendMember.objects.get(blend=services.create_blend(user=anna, name="Kitchen"))


def test_nothing_counts_before_the_yes(kitchen: BlendMember, ben: User) -> None:
    invitation = services.invite(member=kitchen, username="Ben")
    assert list(kitchen.blend.members.values_list("user__username", flat=True)) == ["anna"]
    assert list(invitations_of(ben)) == [invitation]
    blend = services.accept(user=ben, invitation=invitation)
    assert list(blend.members.values_list("user__username", "seat")) == [("anna", 0), ("ben", 1)]
    assert not BlendInvitation.objects.exists()


def test_the_answer_is_the_same_whether_or_not_the_name_exists(
    client: Client, kitchen: BlendMember, anna: User, ben: User
) -> None:
    client.force_login(anna)
    address = reverse("recommender:blend_invite", args=[kitchen.blend_id])
    client.post(address, {"username": "first"})  # It makes the rows that count how often she asks.
    pages, queries = {}, {}
    for name in ("ben", "bob"):  # There is a ben, and no bob.
        with CaptureQueriesContext(connection) as captured:
            answer = client.post(address, {"username": name})
        queries[name] = len(captured)
        page = client.get(answer["Location"]).content.decode()
        call = client.post(
            f"/api/blends/{kitchen.blend_id}/invitations", {"username": name}, content_type="application/json"
        )
        invited = call.json()
        pages[name] = (answer.status_code, page.count(name), call.status_code, invited["username"] == name)
        BlendInvitation.objects.all().delete()
    assert pages["ben"] == pages["bob"]
    assert queries["ben"] == queries["bob"]
    assert pages["ben"][0::2] == (302, 201)


def test_a_no_is_told_to_nobody_and_stays(client: Client, kitchen: BlendMember, anna: User, ben: User) -> None:
    client.force_login(anna)
    services.invite(member=kitchen, username="bob")
    invitation = services.invite(member=kitchen, username="ben")
    page, export = client.get(kitchen.blend.get_absolute_url()).content.decode(), "".join(json_export(anna))
    services.decline(user=ben, invitation=invitation)
    assert client.get(kitchen.blend.get_absolute_url()).content.decode().count("ben") == page.count("ben")
    assert "".join(json_export(anna)) == export
    assert BlendRefusal.objects.get().user == ben
    assert list(invitations_of(ben)) == []
    services.invite(member=kitchen, username="ben")
    assert list(invitations_of(ben)) == []


def test_an_invitation_ends_by_itself(kitchen: BlendMember, ben: User, clock: time_machine.Traveller) -> None:
    services.invite(member=kitchen, username="ben")
    clock.shift(timedelta(days=13, hours=23))
    assert invitations_of(ben).count() == 1
    clock.shift(timedelta(hours=1))
    assert invitations_of(ben).count() == 0
    services.delete_ended()
    assert not BlendInvitation.objects.exists()


def test_a_withdrawn_invitation_cannot_be_accepted(kitchen: BlendMember, ben: User) -> None:
    invitation = services.invite(member=kitchen, username="ben")
    services.withdraw(invitation=invitation)
    with pytest.raises(Http404):
        services.accept(user=ben, invitation=invitation)
    assert not BlendMember.objects.filter(user=ben).exists()


def test_who_is_invited_by_another_cannot_be_answered_for(kitchen: BlendMember, anna: User, ben: User) -> None:
    invitation = services.invite(member=kitchen, username="cara")
    with pytest.raises(Http404):
        services.accept(user=ben, invitation=invitation)


def test_invitations_of_who_left_or_is_turned_off_go(kitchen: BlendMember, anna: User, ben: User) -> None:
    services.invite(member=kitchen, username="ben")
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert invitations_of(ben).count() == 0
    User.objects.filter(pk=anna.pk).update(is_active=True)
    assert invitations_of(ben).count() == 1
    services.leave(member=kitchen)
    assert not Blend.objects.exists()
    assert not BlendInvitation.objects.exists()


def test_a_blend_has_six_places_open_invitations_among_them(kitchen: BlendMember) -> None:
    for number in range(5):
        services.invite(member=kitchen, username=f"name{number}")
    services.invite(member=kitchen, username="name0")  # Again is not another one.
    with pytest.raises(services.BlendFullError, match="A blend has 6 places"):
        services.invite(member=kitchen, username="name5")


def test_six_members_are_the_most(kitchen: BlendMember, tracks: list[Track]) -> None:
    guests = [make_user(f"guest{number}") for number in range(6)]
    invitations = [
        BlendInvitation.objects.create(blend=kitchen.blend, invited_by=kitchen, username=guest.username)
        for guest in guests
    ]
    for guest, invitation in zip(guests[:5], invitations[:5], strict=True):
        services.accept(user=guest, invitation=invitation)
    with pytest.raises(services.BlendFullError, match="This blend has 6 members"):
        services.accept(user=guests[5], invitation=invitations[5])
    assert kitchen.blend.members.count() == 6
    assert BlendInvitation.objects.get().username == "guest5"
    services.leave(member=BlendMember.objects.get(user=guests[1]))
    services.accept(user=guests[5], invitation=invitations[5])
    assert BlendMember.objects.get(user=guests[5]).seat == 2


def test_a_listener_has_a_limit_of_blends_and_of_open_invitations(
    kitchen: BlendMember, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_BLENDS", 2)
    monkeypatch.setattr(services, "MAX_INVITATIONS", 1)
    other = BlendMember.objects.get(blend=services.create_blend(user=anna, name="Car"))
    with pytest.raises(services.BlendFullError, match="You're in 2 blends"):
        services.create_blend(user=anna, name="Garden")
    services.invite(member=kitchen, username="ben")
    with pytest.raises(services.BlendFullError, match="1 of your invitations"):
        services.invite(member=other, username="ben")


def test_a_member_is_not_invited(kitchen: BlendMember) -> None:
    with pytest.raises(services.InvitationError, match="anna is a member already"):
        services.invite(member=kitchen, username="ANNA")


def test_a_listener_who_has_no_taste_may_join(kitchen: BlendMember, anna: User) -> None:
    newcomer = listener("newcomer", [])
    services.accept(user=newcomer, invitation=services.invite(member=kitchen, username="newcomer"))
    assert kitchen.blend.members.count() == 2


def test_who_left_meanwhile_invites_nobody_and_renames_no_ended_blend(blend: Blend, anna: User, ben: User) -> None:
    join(blend, make_user("cleo"))
    hers, his = BlendMember.objects.get(user=anna), BlendMember.objects.get(user=ben)
    services.leave(member=hers)
    with pytest.raises(Http404):
        services.invite(member=hers, username="dan")
    assert not BlendInvitation.objects.exists()
    services.leave(member=his)
    with pytest.raises(Http404):
        services.rename_blend(blend=blend, name="Hall")


def test_a_blend_that_is_left_while_it_is_read_is_not_found(client: Client, blend: Blend, anna: User) -> None:
    client.force_login(anna)

    def leave_before_the_members_are_read(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(f"SELECT {connection.ops.quote_name('recommender_blendmember')}."):
            BlendMember.objects.filter(user=anna)._raw_delete(using=connection.alias)
        return execute(sql, *rest)

    with connection.execute_wrapper(leave_before_the_members_are_read):
        assert client.get(blend.get_absolute_url()).status_code == 404
