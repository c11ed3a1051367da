"""The site's addresses: each app brings its own."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.i18n import set_language

from accounts.login import oidc_views
from accounts.two_factor.staff import admin_log_in, may_operate
from spotify_rec import observability
from spotify_rec.api import api, not_found, root
from spotify_rec.web import pwa

admin.autodiscover()
# Behind allauth's log-in, so that its rate limits and its second step hold for operators too.
admin.site.login = admin_log_in(secure_admin_login(admin.site.login))  # type: ignore[method-assign]
admin.site.has_permission = may_operate  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = settings.SITE_NAME

handler400 = "spotify_rec.web.failures.bad_request"
handler403 = "spotify_rec.web.failures.permission_denied"
handler404 = "spotify_rec.web.failures.not_found"
handler500 = "spotify_rec.web.failures.failure"

urlpatterns = [
    path("favicon.ico", pwa.favicon, name="favicon"),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
    path("service-worker.js", pwa.service_worker, name="service_worker"),
    path("offline/", pwa.offline, name="offline"),
    path("language/", set_language, name="set_language"),
    path("healthz", observability.alive, name="healthz"),
    path("readyz", observability.ready, name="readyz"),
    path("metrics", observability.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/two-factor/", include("allauth.mfa.urls")),
    path("accounts/oidc/<slug:provider_id>/login/", oidc_views.start, name="openid_connect_login"),
    path("accounts/oidc/<slug:provider_id>/login/callback/", oidc_views.callback, name="openid_connect_callback"),
    path("accounts/oidc/<slug:provider_id>/disconnect/", oidc_views.disconnect, name="openid_connect_disconnect"),
    path("accounts/spotify/", include("accounts.spotify.urls")),
    path("", include("accounts.urls")),
    path("", include("catalog.urls")),
    path("", include("feedback.urls")),
    path("", include("recommender.urls")),
    path("player/", include("recommender.pages.player_urls")),
    path("", api.urls),
    re_path(r"^api/?$", root),
    re_path(r"^api/", not_found),
    re_path(r"^recommend/\d+/+$", not_found),
]
