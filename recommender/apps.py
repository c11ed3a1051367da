"""App configuration."""

from django.apps import AppConfig


class RecommenderConfig(AppConfig):
    """Configuration of the recommender app."""

    name = "recommender"
    default_auto_field = "django.db.models.BigAutoField"
