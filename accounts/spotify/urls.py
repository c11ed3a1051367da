"""Addresses of the connection. The one of the callback is registered with Spotify, and has no hyphen for a reason."""

from django.urls import path

from accounts.spotify import views

urlpatterns = [
    path("connect/", views.start_connect, name="spotify_login"),
    path("login/", views.start_sign_in, name="spotify_sign_in"),
    path("reminder/", views.reminder, name="spotify_reminder"),
    path("login/callback/", views.callback, name="spotify_callback"),
]
