"""App configuration."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """Configuration of the feedback app."""

    name = "feedback"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have feedback follow when the operator merges songs; add the import of histories."""
        from catalog.merging import register_merge_handler
        from feedback.history_import.job import KINDS
        from feedback.queue_services import move_queue_items
        from feedback.services import move_feedback
        from feedback.spotify_import import KINDS as SPOTIFY_KINDS
        from jobs.registry import register_kind

        register_merge_handler(move_feedback)
        register_merge_handler(move_queue_items)
        for kind in (*KINDS, *SPOTIFY_KINDS):
            register_kind(kind)
