"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    """Configuration of the jobs app."""

    name = "jobs"
    verbose_name = _("Background jobs")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the runner of jobs, which the queue's task finds through the registry."""
        from jobs.registry import register_runner
        from jobs.running import run

        register_runner(run)
