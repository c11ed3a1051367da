"""App configuration."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """Configuration of the feedback app."""

    name = "feedback"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have feedback follow when the operator merges songs."""
        from catalog.merging import register_merge_handler
        from feedback.services import move_feedback

        register_merge_handler(move_feedback)
