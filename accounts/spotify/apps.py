"""App configuration."""

from django.apps import AppConfig


class SpotifyConfig(AppConfig):
    """Configuration of the Spotify connection."""

    name = "accounts.spotify"
    label = "accounts_spotify"
    verbose_name = "Spotify"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have listeners who said yes told before their connection expires."""
        from accounts.spotify.reminders import KIND
        from jobs.registry import register_kind

        register_kind(KIND)
