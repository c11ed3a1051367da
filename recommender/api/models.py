"""Calls for operators about model versions."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Query, Router

from accounts.apikit.auth import LISTENER, listener_of
from accounts.apikit.paging import PageQuery, newest_page
from accounts.apikit.problems import ProblemError, responses
from catalog.schemas import RowId
from recommender.api.schemas import ModelVersionOut, ModelVersionPage
from recommender.lifecycle.versions import UnusableModelError, activate_checked
from recommender.models import ModelVersion

operator_router = Router(tags=["operator"])


@operator_router.get("/models", summary="List model versions", auth=LISTENER, response=responses(ModelVersionPage))
def model_versions(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Model versions, latest first. Operators only."""
    _require(request, "recommender.view_modelversion")
    items, more = newest_page(ModelVersion.objects.all(), name="models", by="created_at", page=page)
    return {"items": items, "next": more}


@operator_router.post(
    "/models/{version_id}/activate",
    summary="Activate a model version",
    auth=LISTENER,
    response=responses(ModelVersionOut, 404, 409),
)
def activate(request: HttpRequest, version_id: RowId) -> Any:
    """Activate a model version from the next request on. Operators only. Returns 409 if the version can't be used."""
    _require(request, "recommender.change_modelversion")
    version = get_object_or_404(ModelVersion, pk=version_id)
    try:
        activate_checked(version=version)
    except UnusableModelError as error:
        raise ProblemError(409, _("This version can't be activated.")) from error
    version.refresh_from_db()
    return version


def _require(request: HttpRequest, permission: str) -> None:
    if not listener_of(request).has_perm(permission):
        raise ProblemError(403, _("You don't have permission to do this."))
