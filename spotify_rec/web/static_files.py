"""How static files are kept for production, and messages from one page to the next."""

from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]

from spotify_rec.web.compat import MODULE_IMPORTS, SitePathCookieStorage

_MODULES = "player/*.js"


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Names with a hash of the content, compressed; in the imports of our script modules too.

    Not in everybody's: Django would stop at what looks like an import in a package's comments.
    """

    patterns = (*CompressedManifestStaticFilesStorage.patterns, (_MODULES, MODULE_IMPORTS))


class MessageStorage(FallbackStorage):
    """Django's own: a cookie, and the session for what does not fit into one."""

    storage_classes = (SitePathCookieStorage, SessionStorage)
