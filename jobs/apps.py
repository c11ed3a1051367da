"""App configuration."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Configuration of the jobs app."""

    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the queue's task run jobs; it knows the way by the registry alone, as running asks for the next run."""
        from jobs.registry import register_runner
        from jobs.running import run

        register_runner(run)
