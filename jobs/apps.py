"""App configuration."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Configuration of the jobs app."""

    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the runner of jobs, which the queue's task finds through the registry."""
        from jobs.registry import register_runner
        from jobs.running import run

        register_runner(run)
