"""Reads of stated preferences."""

from django.db.models import QuerySet

from accounts.models import User
from catalog.identity.compilers import COMPILER_KEYS
from catalog.models import Artist, Genre


def preferred_genres(user: User) -> QuerySet[Genre]:
    """Return the genres the listener says they like."""
    return Genre.objects.filter(preferences__user=user)


def preferred_artists(user: User) -> QuerySet[Artist]:
    """Return the artists the listener says they like, without what only stands for several ("Various Artists")."""
    return Artist.objects.filter(preferences__user=user).exclude(key__in=COMPILER_KEYS)
