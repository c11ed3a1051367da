"""The JSON API, assembled: each app brings its calls."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.urls import resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import OpenAPISchema

from accounts.apikit.auth import CallLimit
from accounts.apikit.idempotency import changes_something, repeat_safely
from accounts.apikit.parsing import JsonParser
from accounts.apikit.problems import add_problem_handlers, problem
from accounts.calls.api import router as accounts_router
from accounts.calls.token_api import router as tokens_router
from accounts.compat import operations_of
from accounts.spotify.api import add_spotify_handler
from accounts.spotify.api import router as spotify_router
from catalog.api import router as catalog_router
from catalog.sources.spotify.api import router as catalog_spotify_router
from feedback.history_import.api import router as history_router
from feedback.playlists.api import router as playlist_router
from feedback.plays.api import router as plays_router
from feedback.preferences.api import router as preferences_router
from feedback.ratings.api import router as ratings_router
from feedback.spotify_import.api import router as spotify_import_router
from feedback.statistics.api import router as statistics_router
from recommender.api.blends import router as blends_router
from recommender.api.explanations import router as why_router
from recommender.api.models import operator_router
from recommender.api.player import router as player_router
from recommender.api.queue import router as queue_router
from recommender.api.recommendations import plain_router
from recommender.api.recommendations import router as recommender_router
from recommender.api.taste import taste_router
from recommender.api.weeks import router as weeks_router
from spotify_rec.description import INFO, TAGS, complete

_DESCRIPTION = """
Do everything the site does from your own programs. Authenticate with an access token (`Authorization: Bearer
earworm_...`), which you create in your profile, or with a browser session. With a session, calls that change something
also need the `X-CSRFToken` header. Errors are problem details (RFC 9457). Long lists are paginated: pass `next` as
`cursor` to get the next page.
"""


class SiteAPI(NinjaAPI):
    """The API. Its description is completed with the real responses, once, because that takes most of a second."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._made: dict[str, OpenAPISchema] = {}

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        """Return the description, with what the library does not know of the API."""
        root = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        if root not in self._made:
            self._made[root] = self._make(root, path_params)
        return self._made[root]

    def _make(self, root: str, path_params: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=root, path_params=path_params)
        complete(schema, root=root)
        return schema


api = SiteAPI(
    title=f"{settings.SITE_NAME} API",
    version="1",
    description=_DESCRIPTION,
    parser=JsonParser(),
    throttle=CallLimit("api"),
    docs=Swagger(settings={"persistAuthorization": False, "validatorUrl": None}),
    urls_namespace="api",
    servers=[{"url": "/"}],
    openapi_extra={"info": INFO, "tags": TAGS},
    openapi_url="/api/openapi.json",
    docs_url="/api/docs",
)
add_problem_handlers(api)
add_spotify_handler(api)
for _prefix, _router in (
    ("/api", accounts_router),
    ("/api", tokens_router),
    ("/api", catalog_router),
    # Before the calls with an id in the same place.
    ("/api", history_router),
    ("/api", statistics_router),
    ("/api", ratings_router),
    ("/api", plays_router),
    ("/api", why_router),
    ("/api", recommender_router),
    ("/api", catalog_spotify_router),
    ("/api", spotify_import_router),
    ("/api", playlist_router),
    ("/api", preferences_router),
    ("/api", taste_router),
    ("/api", weeks_router),
    ("/api", blends_router),
    ("/api/playback", player_router),
    ("/api/playback/queue", queue_router),
    ("/api", spotify_router),
    ("/api/operator", operator_router),
    ("", plain_router),
):
    api.add_router(_prefix, _router)


for _operation in operations_of(api):
    if changes_something(_operation):
        repeat_safely(_operation, is_remote="spotify" in (_operation.tags or []))


# Changes nothing; a call that it sends on is checked where it arrives.
@csrf_exempt
def not_found(request: HttpRequest, **_path: Any) -> HttpResponse:
    """Answer for addresses below /api/ that do not exist; one with a slash too many is sent on to the one without."""
    address = request.path_info.rstrip("/")
    if address != request.path_info and "//" not in address and resolve(address).func is not not_found:
        query = request.META.get("QUERY_STRING", "")
        location = request.path.rstrip("/") + (f"?{query}" if query else "")
        # The method and the body stay.
        return HttpResponsePermanentRedirect(location, preserve_request=True)
    return problem(404, _("No such endpoint."))


@csrf_exempt
def root(request: HttpRequest) -> HttpResponse:
    """Send readers of /api on to the documentation."""
    if request.method in ("GET", "HEAD"):
        return HttpResponseRedirect(reverse("api:openapi-view"))
    return problem(404, _("No such endpoint."))
