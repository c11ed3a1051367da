"""Writes of blends by their members and by whoever is invited.

Whoever changes who belongs to a blend holds its row until the end of the transaction, and deletes its list in the same
one: a list never outlives the taste that it was made from.
"""

from __future__ import annotations

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.limits.caps import CapError
from accounts.locks import lock_user
from accounts.models import User
from feedback.names import list_name
from jobs.services import enqueue
from recommender.blends.selectors import broken_blends, open_since, pending_by, pending_of
from recommender.models import Blend, BlendInvitation, BlendMember, BlendRefusal, BlendSong
from recommender.models.blends import MAX_MEMBERS

MAX_BLENDS = 20
"""The blends that a listener can belong to at a time."""
MAX_INVITATIONS = 20
"""The invitations of a listener that can wait for an answer at a time."""
JOB = "blends"


class BlendFullError(CapError):
    """A blend or a listener has as many members, blends or invitations as allowed; the message says which."""


class InvitationError(Exception):
    """This name cannot be invited; the message says why. It never says whether somebody has that name."""


@transaction.atomic
def create_blend(*, user: User, name: str) -> Blend:
    """Create a blend whose only member is ``user``. Raise ``BlendFullError``, and ``ValueError`` for a blank name."""
    lock_user(user)
    _check_room(user)
    blend = Blend.objects.create(name=list_name(name, Blend))
    BlendMember.objects.create(blend=blend, user=user, seat=0)
    return blend


@transaction.atomic
def rename_blend(*, blend: Blend, name: str) -> None:
    """Give the blend another name, for all members.

    Raise ``ValueError`` for a blank one, and ``Http404`` for a blend that ended meanwhile.
    """
    blend.name = list_name(name, Blend)
    _locked(blend.pk)
    blend.save(update_fields=["name"])


@transaction.atomic
def invite(*, member: BlendMember, username: str) -> BlendInvitation:
    """Invite whoever has this name, or nobody: it is not looked up. Inviting again gives another fourteen days.

    Raise ``InvitationError`` if the name is a member's, ``BlendFullError`` if there is no place left, and ``Http404``
    if ``member`` has left.
    """
    lock_user(member.user)
    blend, name = _locked(member.blend_id), User.normalize_username(username)
    members = dict(BlendMember.objects.filter(blend=blend).values_list("pk", "user__username"))
    if member.pk not in members:
        raise Http404("not a member any more")
    if name in members.values():
        raise InvitationError(_("%(name)s is a member already.") % {"name": name})
    others = pending_of(blend).exclude(username=name)
    if len(members) + others.count() >= MAX_MEMBERS:
        text = _("A blend has %(limit)d places, and open invitations count. Withdraw one first.")
        raise BlendFullError(text % {"limit": MAX_MEMBERS})
    if pending_by(member.user).exclude(blend=blend, username=name).count() >= MAX_INVITATIONS:
        text = _("%(limit)d of your invitations are still open, which is the limit. Withdraw one first.")
        raise BlendFullError(text % {"limit": MAX_INVITATIONS})
    values = {"invited_by": member, "created_at": timezone.now()}
    return BlendInvitation.objects.update_or_create(blend=blend, username=name, defaults=values)[0]


def withdraw(*, invitation: BlendInvitation) -> None:
    """Take an invitation back."""
    BlendInvitation.objects.filter(pk=invitation.pk).delete()


@transaction.atomic
def accept(*, user: User, invitation: BlendInvitation) -> Blend:
    """Make the listener a member, which they agree to by this, and have the list made with their taste.

    Raise ``BlendFullError``, and ``Http404`` for an invitation that was withdrawn or a blend that ended meanwhile.
    """
    lock_user(user)
    _check_room(user)
    blend = _locked(invitation.blend_id)
    if not BlendInvitation.objects.filter(pk=invitation.pk, username=user.username).delete()[0]:
        raise Http404("the invitation is gone")
    taken = set(BlendMember.objects.filter(blend=blend).values_list("seat", flat=True))
    free = [seat for seat in range(MAX_MEMBERS) if seat not in taken]
    if not free:
        raise BlendFullError(_("This blend has %(limit)d members, which is the limit.") % {"limit": MAX_MEMBERS})
    BlendMember.objects.create(blend=blend, user=user, seat=free[0])
    blend.began_at = blend.began_at or timezone.now()
    _drop_list(blend)
    request_renewal()
    return blend


@transaction.atomic
def decline(*, user: User, invitation: BlendInvitation) -> None:
    """Have the invitation not shown to the listener any more; whoever invited them sees no difference."""
    lock_user(user)
    BlendRefusal.objects.update_or_create(
        user=user, blend_id=invitation.blend_id, defaults={"created_at": timezone.now()}
    )


@transaction.atomic
def leave(*, member: BlendMember) -> None:
    """Take a member and all that was made with their taste out at once. A blend of one ends."""
    blend = _locked(member.blend_id)
    BlendMember.objects.filter(pk=member.pk).delete()
    if BlendMember.objects.filter(blend=blend).count() < 2:
        blend.delete()
        return
    _drop_list(blend)
    request_renewal()


def request_renewal() -> None:
    """Have the missing lists made in the background.

    There is no subject by which jobs that are alike become one: a job that runs already may have passed this blend.
    """
    enqueue(kind=JOB)


def drop_outdated() -> bool:
    """End the blends that deleted accounts left with less than two members, and delete lists made with a taste that is
    gone; return whether there is a list to make.
    """
    is_any = False
    for pk in list(broken_blends().values_list("pk", flat=True)):
        with transaction.atomic():
            if Blend.objects.select_for_update().filter(pk=pk).first() is None:
                continue
            # Looked at again, now that nobody can change who belongs to it.
            blend = broken_blends().filter(pk=pk).first()
            if blend is None:
                continue
            if BlendMember.objects.filter(blend=blend).count() < (2 if blend.began_at else 1):
                blend.delete()
            else:
                _drop_list(blend)
                is_any = True
    return is_any


def after_deletion(_user_id: int) -> None:
    """Drop what an account that was deleted leaves behind in blends. Called by accounts.personal_data."""
    if drop_outdated():
        request_renewal()


def delete_ended() -> None:
    """Delete invitations that ended, and refusals that are as old: after them a new invitation is shown again."""
    BlendInvitation.objects.filter(created_at__lte=open_since()).delete()
    BlendRefusal.objects.filter(created_at__lte=open_since()).delete()


def _locked(pk: int) -> Blend:
    """Return the blend, held until the end of the transaction. Raise ``Http404`` if it ended meanwhile."""
    blend = Blend.objects.select_for_update().filter(pk=pk).first()
    if blend is None:
        raise Http404("the blend has ended")
    return blend


def _drop_list(blend: Blend) -> None:
    BlendSong.objects.filter(blend=blend).delete()
    blend.week, blend.listed_members = None, 0
    blend.save(update_fields=["week", "listed_members", "began_at"])


def _check_room(user: User) -> None:
    if BlendMember.objects.filter(user=user).count() >= MAX_BLENDS:
        text = _("You're in %(limit)d blends, which is the limit. Leave one first.")
        raise BlendFullError(text % {"limit": MAX_BLENDS})
