"""How static files are kept for production."""

from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]

_MODULES = "player/*.js"
_IMPORTS = CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Names with a hash of the content, compressed; in the imports of our script modules too.

    Not in everybody's: Django would stop at what looks like an import in a package's comments.
    """

    patterns = (*CompressedManifestStaticFilesStorage.patterns, (_MODULES, _IMPORTS))
