"""What of the player needs recommendations: going on when the queue has ended."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from feedback.player.forms import NextForm
from feedback.player.views import for_player, listener, refused, state_answer
from recommender.pages.radio import next_song


@require_POST
@for_player
def go_next(request: HttpRequest) -> HttpResponse:
    """Go on to the next song; where there is none, to recommended ones."""
    form = NextForm(request.POST)
    if not form.is_valid():
        return refused(form)
    next_song(user=listener(request), after=form.cleaned_data["after"])
    return state_answer(request)
