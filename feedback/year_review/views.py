"""The page of a year, its pictures, and the link for others."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from feedback.statistics.selectors import zone_of
from feedback.web.exports import NO_XML
from feedback.web.http import listener_required
from feedback.year_review import services
from feedback.year_review.cards import Card, cards_of
from feedback.year_review.forms import ShareForm
from feedback.year_review.models import FIRST_YEAR, YearShare
from feedback.year_review.selectors import live_share, review_of, years_with_plays


@never_cache
@require_safe
@listener_required
def year(request: HttpRequest, number: int) -> HttpResponse:
    """Show the cards of a year of the listener's."""
    user = cast(User, request.user)
    _check(number)
    share = live_share(user, number)
    with timezone.override(zone_of(user)):
        cards = cards_of(review_of(user, number))
        context = {
            "year": number,
            "years": years_with_plays(user),
            "cards": [(card, reverse("feedback:year_card", args=[number, card.number])) for card in cards],
            "form": ShareForm(),
            "share": share,
            "link": request.build_absolute_uri(_link(share)) if share else "",
        }
        return render(request, "feedback/year_review/year.html", context)


@never_cache
@require_safe
@listener_required
def card(request: HttpRequest, number: int, card_number: int) -> HttpResponse:
    """Send a card as a file."""
    _check(number)
    user = cast(User, request.user)
    with timezone.override(zone_of(user)):
        return _picture(request, user, number, card_number)


@require_POST
@listener_required
def share(request: HttpRequest, number: int) -> HttpResponse:
    """Make the link to a year, for as long as the form says."""
    _check(number)
    form = ShareForm(request.POST)
    if form.is_valid():
        services.share_year(user=cast(User, request.user), year=number, days=form.cleaned_data["days"])
    else:
        messages.error(request, _("Choose for how long the link works."))
    return redirect(reverse("feedback:year", args=[number]) + "#share-year")


@require_POST
@listener_required
def stop(request: HttpRequest, number: int) -> HttpResponse:
    """End the link to a year."""
    services.stop_sharing(user=cast(User, request.user), year=number)
    messages.success(request, _("The link no longer works."))
    return redirect("feedback:year", number)


@never_cache
@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """Show a year to whoever has its link."""
    share = _shared(token)
    # The listener's clock, else the site's (None), but never the visitor's.
    with timezone.override(share.user.time_zone or None):
        cards = cards_of(review_of(share.user, share.year))
        addresses = [reverse("feedback:year_shared_card", args=[token, card.number]) for card in cards]
        context = {"year": share.year, "share": share, "cards": list(zip(cards, addresses, strict=True))}
        answer = render(request, "feedback/year_review/shared.html", context)
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@never_cache
@require_safe
def shared_card(request: HttpRequest, token: str, card_number: int) -> HttpResponse:
    """Send a card of a shared year as a file."""
    share = _shared(token)
    with timezone.override(share.user.time_zone or None):
        return _picture(request, share.user, share.year, card_number)


def _check(number: int) -> None:
    """Raise ``Http404`` for years that are no one's."""
    if not FIRST_YEAR <= number <= timezone.now().year + 1:
        raise Http404("no such year")


def _shared(token: str) -> YearShare:
    if (share := services.shared_year(token)) is None:
        raise Http404("no such link, or it has ended")
    return share


def _link(share: YearShare) -> str:
    return reverse("feedback:year_shared", args=[services.token_of(share)])


def _picture(request: HttpRequest, user: User, number: int, card_number: int) -> HttpResponse:
    cards: list[Card] = cards_of(review_of(user, number))
    if not 1 <= card_number <= len(cards):
        raise Http404("no such card")
    context = {"card": cards[card_number - 1], "site_name": settings.SITE_NAME}
    # A song's name may hold anything.
    drawing = render_to_string("feedback/year_review/_card.svg", context, request).translate(NO_XML)
    answer = HttpResponse(drawing, content_type="image/svg+xml")
    answer["Content-Disposition"] = f'attachment; filename="{number}-{card_number}.svg"'
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
