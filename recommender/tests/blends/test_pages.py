"""Blends on pages and by calls."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalog.models import Track
from feedback.playlists.models import Playlist
from recommender.blends import services
from recommender.blends.selectors import blends_of, songs_of
from recommender.models import Blend, BlendFit, BlendInvitation, BlendMember
from recommender.tests.blends.conftest import listener
from recommender.tests.blends.runs import run_waiting
from recommender.tests.builders import make_user

pytestmark = pytest.mark.django_db
JSON = "application/json"


def reasons_of(page: str) -> list[str]:
    return re.findall(r'<div class="track-reason">(.*?)</div>', page)


def test_from_the_name_to_the_list(client: Client, anna: User, ben: User) -> None:
    client.force_login(anna)
    assert "No blends yet" in client.get("/blends/").content.decode()
    made = client.post("/blends/", {"name": "  Our   kitchen "})
    page = client.get(made["Location"]).content.decode()
    assert '<h1 class="text-break">Our kitchen</h1>' in page
    assert "Nobody has joined yet" in page
    answer = client.post(f"{made['Location']}invite/", {"username": "Ben"}, follow=True).content.decode()
    assert "Invited ben. If there is a listener of that name, they&#x27;ll find it under Blends." in answer
    client.force_login(ben)
    home = client.get("/").content.decode()
    assert "anna invites you to “Our kitchen”" in home
    address = reverse("recommender:blend_invitation", args=[BlendInvitation.objects.get().pk])
    assert address in home
    consent = client.get(address).content.decode()
    assert "Only you see your own reasons in full." in consent
    assert "Until you join it isn't used." in consent
    joined = client.post(address, {"answer": "accept"}, follow=True).content.decode()
    assert "The list is being made" in joined
    run_waiting()
    page = client.get(made["Location"]).content.decode()
    assert page.count('class="track-row"') == 30
    blend = blends_of(ben).get()
    assert f'data-play-list="{",".join(str(song.track_id) for song in songs_of(blend))}"' in page
    counts = {member: BlendFit.objects.filter(member=member).count() for member in BlendMember.objects.all()}
    for count in counts.values():
        assert f'<span class="small text-body-secondary">{count} songs</span>' in page


def test_each_sees_their_own_reasons_and_of_others_no_more_than_the_kind(
    client: Client, blend: Blend, anna: User, ben: User, tracks: list[Track]
) -> None:
    titles = re.compile("|".join(re.escape(track.title) for track in tracks[:6]))
    run_waiting()
    client.force_login(anna)
    hers = reasons_of(client.get(blend.get_absolute_url()).content.decode())
    client.force_login(ben)
    his = reasons_of(client.get(blend.get_absolute_url()).content.decode())
    assert len(hers) == len(his) == 30
    assert any(text.startswith("For you: ") and titles.search(text) for text in hers)
    assert any(re.fullmatch(r"For anna, because (of its \w+|it&#x27;s popular|people .*)", text) for text in his)
    for text in his:
        of_anna = [part for part in text.split(" · ") if "anna" in part]
        assert not any(titles.search(part) for part in of_anna)
        # Ben likes the last six songs: his own reasons name no song of hers either.
        assert not titles.search(text)


def test_the_calls_do_the_same(client: Client, anna: User, ben: User) -> None:
    client.force_login(anna)
    made = client.post("/api/blends", {"name": "Kitchen"}, content_type=JSON)
    assert made.status_code == 201
    pk = made.json()["id"]
    wanted = {"name": "Kitchen", "members": ["anna"], "week": None, "song_count": 0}
    assert {name: made.json()[name] for name in wanted} == wanted
    invited = client.post(f"/api/blends/{pk}/invitations", {"username": "ben"}, content_type=JSON).json()
    assert client.get(f"/api/blends/{pk}").json()["invitations"] == [invited]
    assert client.patch(f"/api/blends/{pk}", {"name": "Car"}, content_type=JSON).json()["name"] == "Car"
    client.force_login(ben)
    (invitation,) = client.get("/api/user/blend-invitations").json()["items"]
    assert (invitation["blend"], invitation["invited_by"], invitation["members"]) == ("Car", "anna", ["anna"])
    joined = client.post(f"/api/user/blend-invitations/{invitation['id']}/accept")
    assert (joined.status_code, joined.json()["members"]) == (200, ["anna", "ben"])
    run_waiting()
    content = client.get(f"/api/blends/{pk}").json()
    assert (content["blend"]["week"], content["blend"]["song_count"]) == ("2026-11-30", 30)
    own = [item for item in content["items"] if item["is_for_you"]]
    assert len(own) == BlendFit.objects.filter(member__user=ben).count()
    others = [other for item in content["items"] for other in item["others"]]
    assert {tuple(other["members"]) for other in others} == {("anna",)}
    assert client.delete(f"/api/blends/{pk}/membership").status_code == 204
    assert client.get(f"/api/blends/{pk}").status_code == 404
    assert not Blend.objects.exists()


def test_a_no_by_page_and_by_call(client: Client, anna: User, ben: User) -> None:
    member = BlendMember.objects.get(blend=services.create_blend(user=anna, name="Kitchen"))
    first = services.invite(member=member, username="ben")
    client.force_login(ben)
    answer = client.post(reverse("recommender:blend_invitation", args=[first.pk]), {"answer": "decline"}, follow=True)
    assert "Declined. Whoever invited you isn&#x27;t told." in answer.content.decode()
    cara = listener("cara", [])
    second = services.invite(member=member, username="cara")
    client.force_login(cara)
    assert client.post(f"/api/user/blend-invitations/{second.pk}/decline").status_code == 204
    assert client.get("/api/user/blend-invitations").json()["items"] == []
    assert BlendInvitation.objects.count() == 2


def test_who_is_no_member_finds_nothing(client: Client, blend: Blend, anna: User) -> None:
    invitation = services.invite(member=BlendMember.objects.get(user=anna), username="cara")
    client.force_login(make_user("stranger"))
    pk = blend.pk
    posts = [f"/blends/{pk}/{name}/" for name in ("rename", "save", "leave", "invite")]
    posts += [f"/blends/{pk}/invitations/{invitation.pk}/withdraw/", f"/blends/invitations/{invitation.pk}/"]
    posts += [f"/api/user/blend-invitations/{invitation.pk}/{name}" for name in ("accept", "decline")]
    assert {client.post(path, {"name": "x", "username": "x", "answer": "accept"}).status_code for path in posts} == {
        404
    }
    gets = [f"/blends/{pk}/", f"/blends/invitations/{invitation.pk}/", f"/api/blends/{pk}"]
    assert {client.get(path).status_code for path in gets} == {404}
    calls = [f"/api/blends/{pk}/membership", f"/api/blends/{pk}/invitations/{invitation.pk}"]
    assert {client.delete(path).status_code for path in calls} == {404}
    assert client.post(f"/api/blends/{pk}/invitations", {"username": "x"}, content_type=JSON).status_code == 404
    assert client.patch(f"/api/blends/{pk}", {"name": "x"}, content_type=JSON).status_code == 404
    assert {client.get(path).status_code for path in posts[:5]} == {405}
    client.logout()
    assert client.get("/blends/").status_code == 302


def test_bad_input_is_refused_where_it_was_entered(client: Client, blend: Blend, anna: User) -> None:
    client.force_login(anna)
    for name in ("", "   ", "x" * 61):
        assert client.post("/blends/", {"name": name}).status_code == 422
        client.post(f"/blends/{blend.pk}/rename/", {"name": name})
        assert client.post("/api/blends", {"name": name}, content_type=JSON).status_code == 422
    for name in ("", "x y", "x" * 151, "<b>", "anna"):
        answer = client.post(f"/blends/{blend.pk}/invite/", {"username": name})
        assert (answer.status_code, answer.content.decode().count('id="blend-username-error"')) == (422, 1)
    blend.refresh_from_db()
    assert blend.name == "Kitchen"
    invitation = services.invite(member=BlendMember.objects.get(user=anna), username="cara")
    client.force_login(make_user("cara"))
    assert client.post(f"/blends/invitations/{invitation.pk}/", {"answer": "perhaps"}).status_code == 400
    assert client.post(f"/blends/invitations/{'9' * 30}/").status_code == 404


def test_a_list_is_saved_as_a_playlist_and_left(client: Client, blend: Blend, ben: User) -> None:
    run_waiting()
    client.force_login(ben)
    ids = [song.track_id for song in songs_of(blends_of(ben).get())]
    client.post(f"/blends/{blend.pk}/save/")
    playlist = Playlist.objects.get()
    assert (playlist.name, list(playlist.items.order_by("position").values_list("track_id", flat=True))) == (
        "Kitchen",
        ids,
    )
    left = client.post(f"/blends/{blend.pk}/leave/", follow=True).content.decode()
    assert "You left Kitchen. Your taste doesn&#x27;t count there any more." in left
    assert not Blend.objects.exists()


def test_an_invitation_is_withdrawn(client: Client, blend: Blend, ben: User) -> None:
    invitation = services.invite(member=BlendMember.objects.get(user=ben), username="cara")
    client.force_login(ben)
    page = client.post(f"/blends/{blend.pk}/invitations/{invitation.pk}/withdraw/", follow=True).content.decode()
    assert "Withdrew the invitation of cara." in page
    assert not BlendInvitation.objects.exists()


def test_a_refused_invitation_can_be_read_in_another_language(client: Client, blend: Blend, anna: User) -> None:
    client.force_login(anna)
    refused = client.post(f"{blend.get_absolute_url()}invite/", {"username": "no name"})
    assert refused.status_code == 422
    address = blend.get_absolute_url()
    assert f'name="next" value="{address}"' in refused.content.decode()


def test_no_empty_playlist_is_saved_while_the_list_is_being_made(client: Client, blend: Blend, anna: User) -> None:
    client.force_login(anna)
    answer = client.post(f"{blend.get_absolute_url()}save/", follow=True)
    assert answer.redirect_chain == [(blend.get_absolute_url(), 302)]
    assert "Nothing was saved, because this blend has no songs just now." in answer.content.decode()
    assert not Playlist.objects.exists()
    run_waiting()
    client.post(f"{blend.get_absolute_url()}save/")
    assert Playlist.objects.get().items.count() == 30
