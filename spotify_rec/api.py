"""The JSON API, assembled: each app brings its calls."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import OpenAPISchema

from accounts.api import router as accounts_router
from accounts.apikit.auth import CallLimit
from accounts.apikit.parsing import JsonParser
from accounts.apikit.problems import CONTENT_TYPE, add_problem_handlers, problem
from accounts.spotify.api import add_spotify_handler
from accounts.spotify.api import router as spotify_router
from catalog.api import router as catalog_router
from catalog.spotify_api import router as catalog_spotify_router
from feedback.api import router as feedback_router
from feedback.history_api import router as history_router
from feedback.playlist_api import router as playlist_router
from feedback.spotify_api import router as bring_router
from feedback.steering_api import router as steering_router
from recommender.api import operator_router, plain_router
from recommender.api import router as recommender_router
from recommender.player_api import router as player_router
from recommender.player_api import taste_router
from recommender.why_api import router as why_router

_DESCRIPTION = """
Everything the pages do, for programs. Log in with a personal token (`Authorization: Bearer earworm_...`, made on your
profile page) or with a browser's session; with a session, what changes something needs the `X-CSRFToken` header.
Errors are problem details (RFC 9457). Long lists come in pages: hand `next` back as `cursor`.
"""


class SiteAPI(NinjaAPI):
    """The API with a description that says what its answers really are."""

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        """Return the description: errors as problem details, the headers that go with them, optional log-in."""
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        for operations in schema["paths"].values():
            for operation in operations.values():
                _describe(operation)
        return schema


def _describe(operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        if int(status) >= 400 and "content" in answer:
            answer["content"] = {CONTENT_TYPE: answer["content"].pop("application/json")}
        if int(status) == 429:
            answer["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
        if int(status) == 304:
            answer["description"] = "Nothing changed since the answer with this ETag."
    if "security" in operation and "403" not in map(str, operation["responses"]):
        # Visitors are let in, too.
        operation["security"].append({})


api = SiteAPI(
    title=f"{settings.SITE_NAME} API",
    version="1",
    description=_DESCRIPTION,
    parser=JsonParser(),
    throttle=CallLimit("api"),
    docs=Swagger(settings={"persistAuthorization": False, "validatorUrl": None}),
    urls_namespace="api",
    openapi_url="/api/openapi.json",
    docs_url="/api/docs",
)
add_problem_handlers(api)
add_spotify_handler(api)
for _prefix, _router in (
    ("/api", accounts_router),
    ("/api", catalog_router),
    # Before the calls with an id in the same place.
    ("/api", history_router),
    ("/api", feedback_router),
    ("/api", why_router),
    ("/api", recommender_router),
    ("/api", catalog_spotify_router),
    ("/api", bring_router),
    ("/api", playlist_router),
    ("/api", steering_router),
    ("/api", taste_router),
    ("/api/playback", player_router),
    ("/api", spotify_router),
    ("/api/operator", operator_router),
    ("", plain_router),
):
    api.add_router(_prefix, _router)


def not_found(_request: HttpRequest, **_path: Any) -> HttpResponse:
    """Answer for addresses below /api/ that do not exist."""
    return problem(404, "There is no such call.")
