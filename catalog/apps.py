"""App configuration."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Configuration of the catalog app."""

    name = "catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Delete an operator's files with the account."""
        from django.core.checks import register

        from accounts.personal_data.export import register_file_handler
        from catalog.checks import check_feature_source
        from catalog.importing.admin import delete_rejects

        register_file_handler(delete_rejects)
        register(check_feature_source)
