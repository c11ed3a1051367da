"""What goes into the engine: the catalogue, the interactions of all listeners, and one listener's feedback."""

from recommender.engine.data.catalogue import UNKNOWN, Catalogue
from recommender.engine.data.checks import check_range
from recommender.engine.data.feedback import NO_ADJUSTMENTS, Adjustments, Feedback, FeedbackKind
from recommender.engine.data.interactions import NO_REGION, Interactions

__all__ = [
    "NO_ADJUSTMENTS",
    "NO_REGION",
    "UNKNOWN",
    "Adjustments",
    "Catalogue",
    "Feedback",
    "FeedbackKind",
    "Interactions",
    "check_range",
]
