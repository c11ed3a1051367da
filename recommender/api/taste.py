"""The call about the listener's taste as it is believed to be."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.apikit.auth import LISTENER, listener_of
from accounts.apikit.problems import responses
from feedback.preferences.models import TasteExclusion
from feedback.preferences.schemas import TasteOut
from recommender.pages.taste.profile import SoundRange, taste_of

taste_router = Router(tags=["taste"])


@taste_router.get("/user/taste", summary="Get your taste", auth=LISTENER, response=responses(TasteOut))
def taste(request: HttpRequest) -> Any:
    """Your taste as we see it. Empty until a model has been trained."""
    user = listener_of(request)
    profile = taste_of(user)
    return {
        "artists": profile.artists if profile else [],
        "genres": profile.genres if profile else [],
        "sound": [_sound(heard) for heard in profile.sound] if profile else [],
        "words": [str(word) for word in profile.words] if profile else [],
        "amount": profile.amount if profile else 0.0,
        "exclusions": list(TasteExclusion.objects.filter(user=user)[:1000]),
        "private_since": user.private_since,
    }


def _sound(heard: SoundRange) -> dict[str, Any]:
    line = {"kind": "feature", "id": heard.name, "name": str(heard.label), "level": heard.level}
    return {"line": line, **vars(heard)}
