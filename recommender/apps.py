"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecommenderConfig(AppConfig):
    """Configuration of the recommender app."""

    name = "recommender"
    verbose_name = _("Recommendations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what merging songs and deleting accounts do here, and the periodic jobs."""
        from accounts.personal_data.export import register_file_handler
        from catalog.duplicates.merging import register_merge_handler
        from feedback.music_servers.lists import register_list
        from feedback.music_servers.models import PushedPlaylist
        from jobs.registry import register_kind
        from recommender.blends.job import BLENDS
        from recommender.blends.merging import move_blend_songs
        from recommender.blends.services import after_deletion
        from recommender.experiments.jobs import EXPERIMENTS
        from recommender.lifecycle.cleanup import TIDY
        from recommender.lifecycle.jobs import RETRAIN
        from recommender.lifecycle.merging import move_recommendations
        from recommender.pages.server_lists import for_you_ids
        from recommender.weekly.job import WEEKLY_LISTS
        from recommender.weekly.merging import move_weekly_songs

        register_merge_handler(move_recommendations)
        register_merge_handler(move_weekly_songs)
        register_merge_handler(move_blend_songs)
        register_file_handler(after_deletion)
        register_list(PushedPlaylist.Kind.FOR_YOU, for_you_ids)
        register_kind(RETRAIN)
        register_kind(TIDY)
        register_kind(WEEKLY_LISTS)
        register_kind(EXPERIMENTS)
        register_kind(BLENDS)
