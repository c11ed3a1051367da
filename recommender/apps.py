"""App configuration."""

from django.apps import AppConfig


class RecommenderConfig(AppConfig):
    """Configuration of the recommender app."""

    name = "recommender"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the record of what was shown follow when the operator merges songs; add the periodic work."""
        from catalog.merging import register_merge_handler
        from jobs.registry import register_kind
        from recommender.jobs import RETRAIN
        from recommender.merging import move_recommendations
        from recommender.tidying import TIDY

        register_merge_handler(move_recommendations)
        register_kind(RETRAIN)
        register_kind(TIDY)
