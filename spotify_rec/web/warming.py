"""What the first page after a start would wait for, done before it comes."""

import logging

from django.template.loader import get_template
from django.urls import reverse

from catalog.selectors import typical_features
from feedback.onboarding.selectors import genre_tiles
from recommender.pages.popular import popular_tracks

logger = logging.getLogger(__name__)


def warm_pages() -> None:
    """Import all addresses, read the templates of the first pages, and keep what goes through the whole catalogue.

    Whatever fails here is only slower later: the first page says what is wrong.
    """
    try:
        reverse("recommender:home")
        for name in ("recommender/home.html", "recommender/_feed.html", "recommender/_section.html"):
            get_template(name)
        popular_tracks(limit=1)
        genre_tiles()
        typical_features()
    except Exception:
        logger.warning("the first pages could not be prepared", exc_info=True)
