"""What a browser asks for by itself: the icon, and what lets it install the site and show a page without a network."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe


@require_safe
@cache_control(max_age=3600)
def favicon(_request: HttpRequest) -> HttpResponse:
    """Lead to the icon: browsers ask for this address where they show what has no page, such as the API's answers."""
    return redirect(static("site/icon.svg"))


@require_safe
@cache_control(max_age=3600)
def manifest(_request: HttpRequest) -> HttpResponse:
    """Describe the site as an application."""
    icon = static("site/icon.svg")
    described = {
        "id": get_script_prefix(),
        "name": settings.SITE_NAME,
        "short_name": settings.SITE_NAME,
        "description": _("Music that learns your taste with every click."),
        "lang": get_language(),
        "start_url": reverse("recommender:home"),
        "scope": get_script_prefix(),
        "display": "standalone",
        "background_color": "#14121c",
        "theme_color": "#5a28cf",
        "icons": [
            {"src": icon, "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            {"src": static("site/icon-maskable.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "maskable"},
        ],
        "shortcuts": [
            {"name": _("For you"), "url": reverse("recommender:home")},
            {"name": _("Search"), "url": reverse("catalog:search")},
        ],
    }
    return JsonResponse(described, content_type="application/manifest+json")


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """Return the script that shows the offline page when the site cannot be reached. It keeps nothing of a listener."""
    files = ["vendor/bootstrap.min.css", "site/site.css", "site/theme.js", "site/icon.svg"]
    context = {
        "base": get_script_prefix(),
        "offline_url": reverse("offline"),
        "files": [static(name) for name in files],
    }
    return render(request, "service-worker.js", context, content_type="text/javascript")


@require_safe
@cache_control(max_age=3600)
def offline(request: HttpRequest) -> HttpResponse:
    """Show that the site cannot be reached: the same page for everybody, for the browser keeps it."""
    return render(request, "offline.html")
