"""One listener's changes wait for each other."""

from accounts.models import User


def lock_user(user: User) -> None:
    """Hold the listener's row until the end of the transaction, which whoever changes what is theirs does as well.

    The row is always there. A lock on rows that two clicks at once are about to make, MariaDB ends as a deadlock.
    """
    list(User.objects.select_for_update().filter(pk=user.pk).values_list("pk"))
