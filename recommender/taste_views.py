"""The page of the listener's taste: what is believed, how it is steered, what does not count."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from feedback.http import listener_required
from feedback.steering_forms import PeriodForm
from feedback.steering_models import Block, TasteExclusion
from recommender.taste import taste_of
from recommender.taste_charts import HEIGHT, WIDTH, movement_chart

ROWS_SHOWN = 100


@require_safe
@never_cache
@listener_required
def taste(request: HttpRequest) -> HttpResponse:
    """Show the taste with the switches for each line of it."""
    user = cast(User, request.user)
    found = taste_of(user)
    blocks = Block.objects.in_force().filter(user=user).select_related("track", "artist", "genre")
    exclusions = TasteExclusion.objects.filter(user=user).select_related("track", "artist")
    context = {
        "taste": found,
        "chart": movement_chart(found.moved, found.days) if found else None,
        "chart_width": WIDTH,
        "chart_height": HEIGHT,
        "blocks": blocks[:ROWS_SHOWN],
        "exclusions": exclusions[:ROWS_SHOWN],
        "period_form": PeriodForm(),
    }
    return render(request, "recommender/taste.html", context)
