"""A site with folk and techno, one listener of each, and a third who likes both."""

import pytest

from accounts.models import User
from catalog.models import Track
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.blends import services
from recommender.models import Blend, BlendInvitation, BlendMember
from recommender.tests.builders import make_user
from recommender.tests.weekly.conftest import clock, tracks

__all__ = ["clock", "tracks"]


def listener(name: str, liked: list[Track]) -> User:
    """Return a new listener who likes these songs."""
    made = make_user(name)
    for track in liked:
        rate(user=made, track=track, value=Rating.Value.LIKE)
    return made


def join(blend: Blend, user: User) -> BlendMember:
    """Have the first member invite a listener, and the listener accept."""
    services.invite(member=blend.members.earliest("seat"), username=user.username)
    services.accept(user=user, invitation=BlendInvitation.objects.get(blend=blend, username=user.username))
    return BlendMember.objects.get(blend=blend, user=user)


@pytest.fixture
def anna(tracks: list[Track]) -> User:
    """Return a listener who likes folk."""
    return listener("anna", tracks[:6])


@pytest.fixture
def ben(tracks: list[Track]) -> User:
    """Return a listener who likes techno."""
    return listener("ben", tracks[-6:])


@pytest.fixture
def blend(anna: User, ben: User) -> Blend:
    """Return the blend of both, whose list is not made yet."""
    made = services.create_blend(user=anna, name="Kitchen")
    join(made, ben)
    made.refresh_from_db()
    return made
