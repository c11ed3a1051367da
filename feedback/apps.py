"""App configuration."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """Configuration of the feedback app."""

    name = "feedback"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what merging songs does to feedback, and the background jobs of histories."""
        from accounts.personal_data.privacy import register_recipients
        from accounts.spotify.services import register_account_handler, register_key_holder
        from catalog.duplicates.artists import register_artist_handler
        from catalog.duplicates.merging import register_merge_handler
        from catalog.importing.after import register_import_handler
        from feedback.history_import.job import KINDS
        from feedback.merging import move_feedback
        from feedback.music_servers.jobs import KINDS as SERVER_KINDS
        from feedback.music_servers.recipients import server_recipients
        from feedback.music_servers.services import seal_again
        from feedback.plays import double_jobs
        from feedback.preferences.services import move_artist_preferences
        from feedback.queue.services import move_queue_items
        from feedback.scrobbling.job import KIND as MATCHING
        from feedback.scrobbling.job import match_after_import
        from feedback.spotify_import import job, playlists, saving
        from feedback.spotify_import.services import leave_account
        from jobs.registry import register_kind

        register_merge_handler(move_feedback)
        register_artist_handler(move_artist_preferences)
        register_merge_handler(move_queue_items)
        register_account_handler(leave_account)
        register_key_holder(seal_again)
        register_recipients(server_recipients)
        register_import_handler(match_after_import)
        for kind in (*KINDS, *double_jobs.KINDS, job.KIND, playlists.KIND, saving.KIND, MATCHING, *SERVER_KINDS):
            register_kind(kind)
