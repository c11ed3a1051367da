"""The page of the listener's taste: what is believed, how it is steered, what does not count."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from feedback.preferences.forms import PeriodForm
from feedback.preferences.models import Block, TasteExclusion
from feedback.web.http import listener_required
from recommender.pages.taste.charts import HEIGHT, WIDTH, movement_chart
from recommender.pages.taste.profile import taste_of

ROWS_SHOWN = 100


@require_safe
@never_cache
@listener_required
def taste(request: HttpRequest) -> HttpResponse:
    """Show the taste with the switches for each line of it."""
    user = cast(User, request.user)
    profile = taste_of(user)
    blocks = Block.objects.in_force().filter(user=user).select_related("track", "artist", "genre")
    exclusions = TasteExclusion.objects.filter(user=user).select_related("track", "artist")
    context = {
        "taste": profile,
        "chart": movement_chart(profile.moved, profile.days) if profile else None,
        "chart_width": WIDTH,
        "chart_height": HEIGHT,
        "blocks": blocks[:ROWS_SHOWN],
        "exclusions": exclusions[:ROWS_SHOWN],
        "period_form": PeriodForm(),
    }
    return render(request, "recommender/taste.html", context)
