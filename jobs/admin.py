"""Admin of background jobs: watch, stop, run again."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs import services
from jobs.models import Job
from jobs.registry import all_kinds, kind_of, label_of

_COLUMNS = (
    "label", "state", "progress", "step", "user", "subject", "arguments", "attempt", "worker", "run_after",
    "created_at", "started_at", "heartbeat_at", "finished_at", "written_log",
)  # fmt: skip


class KindFilter(admin.SimpleListFilter):
    """Jobs of one kind, by the label that operators know it by."""

    title = gettext_lazy("type")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the kinds that the list has jobs of."""
        named = model_admin.get_queryset(request).order_by("kind").values_list("kind", flat=True).distinct()
        return [(kind, label_of(kind)) for kind in named]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Return the jobs of the chosen kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Jobs; nothing in them is edited by hand."""

    list_display = ("__str__", "state", "progress", "step", "user", "run_after", "started_at", "took")
    list_filter = ("state", KindFilter)
    list_select_related = ("user",)
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = fields = _COLUMNS
    actions = ("stop_selected", "run_selected_again")
    change_form_template = "admin/jobs/job/change_form.html"
    change_list_template = "admin/jobs/job/change_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Jobs are requested by the apps, or started below."""
        return False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("start/<slug:kind>/", wrap(self.start), name="jobs_job_start"),
            path("<int:pk>/stop/", wrap(self.stop), name="jobs_job_stop"),
            path("<int:pk>/again/", wrap(self.again), name="jobs_job_again"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        startable = [kind for kind in all_kinds() if kind.is_startable] if self.has_change_permission(request) else []
        return super().changelist_view(request, {**(extra_context or {}), "startable": startable})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a job; the page of a job that has not ended reloads itself."""
        answer = super().change_view(request, object_id, form_url, extra_context)
        job = self.get_object(request, unquote(object_id))
        if job is not None and job.is_active:
            answer["Refresh"] = "3"
        return answer

    def start(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Start a job of a kind that needs no arguments."""
        self._require_post(request)
        job_kind = kind_of(kind)
        if job_kind is None or not job_kind.is_startable:
            raise Http404
        job = services.enqueue(kind=kind, user_id=request.user.pk, subject=kind)
        return redirect(reverse("admin:jobs_job_change", args=[job.pk]))

    def stop(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop one job."""
        self._require_post(request)
        self._stop(request, [self._job(pk)])
        return redirect(reverse("admin:jobs_job_change", args=[pk]))

    def again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Run one job again and show the new run."""
        self._require_post(request)
        started = self._again(request, [self._job(pk)])
        return redirect(reverse("admin:jobs_job_change", args=[started[0].pk if started else pk]))

    @admin.action(description=gettext_lazy("Stop"), permissions=["change"])
    def stop_selected(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        """Stop all that are ticked."""
        self._stop(request, list(jobs))

    @admin.action(description=gettext_lazy("Run again"), permissions=["change"])
    def run_selected_again(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        """Run all that are ticked again."""
        self._again(request, list(jobs))

    @admin.display(description=gettext_lazy("progress"), ordering="share")
    def progress(self, job: Job) -> str:
        return format_html('<progress max="100" value="{}"></progress> {} %', job.percent, job.percent)

    @admin.display(description=gettext_lazy("seconds"))
    def took(self, job: Job) -> str:
        return "" if job.seconds is None else f"{job.seconds:.1f}"

    @admin.display(description=gettext_lazy("log"))
    def written_log(self, job: Job) -> str:
        return format_html("<pre>{}</pre>", job.log)

    def _stop(self, request: HttpRequest, jobs: list[Job]) -> None:
        for job in jobs:
            try:
                services.request_stop(job=job)
            except services.JobError as error:
                messages.error(request, f"{job}: {error}")
            else:
                messages.success(request, _("%(job)s is stopped or will stop at its next step.") % {"job": job})

    def _again(self, request: HttpRequest, jobs: list[Job]) -> list[Job]:
        started = []
        for job in jobs:
            try:
                started.append(services.run_again(job=job))
            except services.JobError as error:
                messages.error(request, f"{job}: {error}")
        return started

    def _job(self, pk: int) -> Job:
        job = Job.objects.filter(pk=pk).first()
        if job is None:
            raise Http404
        return job

    def _require_post(self, request: HttpRequest) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            raise Http404
