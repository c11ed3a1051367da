"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    """Configuration of the catalog app."""

    name = "catalog"
    verbose_name = _("Catalogue")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Delete an operator's files with the account; register the reading of music servers and their keys."""
        from django.core.checks import register

        from accounts.personal_data.export import register_file_handler
        from accounts.spotify.services import register_key_holder
        from catalog.checks import check_feature_source
        from catalog.importing.admin import delete_rejects
        from catalog.sound.jobs import ANALYSE
        from catalog.sources.servers.jobs import READ
        from catalog.sources.servers.services import seal_again
        from jobs.registry import register_kind

        register_file_handler(delete_rejects)
        register(check_feature_source)
        register_key_holder(seal_again)
        register_kind(READ)
        register_kind(ANALYSE)
