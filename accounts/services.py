"""Writes of the accounts app."""

from allauth.account.models import EmailAddress
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.models import User
from accounts.personal_data.export import delete_files, files_of


@transaction.atomic
def change_email(*, user: User, email: str) -> EmailAddress:
    """Make ``email`` the listener's one address, at once and unverified.

    Raise ``django.db.IntegrityError`` when another listener has it.
    """
    user.email = email.lower()
    user.save(update_fields=["email"])
    EmailAddress.objects.filter(user=user).delete()
    return EmailAddress.objects.create(user=user, email=user.email, primary=True)


@transaction.atomic
def start_email_change(*, user: User, email: str) -> EmailAddress:
    """Return the new, unverified address beside the one in use, in place of an earlier pending change."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    return EmailAddress.objects.create(user=user, email=email.lower())


class AccountGoneError(Exception):
    """Another request has deleted the account."""


@transaction.atomic
def delete_account(*, user: User) -> None:
    """Delete the listener with everything that is theirs, log-in sessions on other devices among it.

    Of several requests at once the first deletes it; the others raise ``AccountGoneError``.
    """
    # Concurrent writes for the listener wait for this lock and then fail, so that none are left behind.
    locked = User.objects.select_for_update().filter(pk=user.pk).first()
    if locked is None:
        raise AccountGoneError
    _delete_sessions(user_id=str(user.pk))
    user_id, files = user.pk, files_of(user)
    locked.delete()
    # Not before: were the rows to stay after all, they would name files that are gone.
    transaction.on_commit(lambda: delete_files(user_id, files))


def _delete_sessions(*, user_id: str) -> None:
    # Sessions name their listener only inside their signed data, so each must be read.
    theirs = [
        session.pk
        for session in Session.objects.iterator(chunk_size=1000)
        if session.get_decoded().get(SESSION_KEY) == user_id
    ]
    for start in range(0, len(theirs), 500):
        Session.objects.filter(pk__in=theirs[start : start + 500]).delete()
