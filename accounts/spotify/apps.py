"""App configuration."""

from django.apps import AppConfig


class SpotifyConfig(AppConfig):
    """Configuration of the Spotify connection."""

    name = "accounts.spotify"
    label = "accounts_spotify"
    verbose_name = "Spotify"
    default_auto_field = "django.db.models.BigAutoField"
