"""App configuration."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """Configuration of the feedback app."""

    name = "feedback"
    default_auto_field = "django.db.models.BigAutoField"
