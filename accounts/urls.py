"""Addresses of the accounts app."""

from django.urls import path, re_path

from accounts import views
from accounts.login import views as login_views
from accounts.personal_data import views as export_views
from accounts.tokens import views as token_views

app_name = "accounts"
urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("profile/emails/", login_views.security_emails, name="security_emails"),
    path("profile/tokens/", token_views.tokens, name="tokens"),
    path("profile/tokens/<int:pk>/revoke/", token_views.revoke, name="token_revoke"),
    path("privacy/", export_views.privacy, name="privacy"),
    path("profile/data/", export_views.my_data, name="my_data"),
    re_path(r"^profile/data/everything\.(?P<kind>json|zip)$", export_views.download, name="export"),
    path("profile/delete/", views.delete_account, name="delete"),
]
