"""App configuration."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Configuration of the jobs app."""

    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
