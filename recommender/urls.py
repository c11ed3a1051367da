"""Addresses of the recommender app."""

from django.urls import path

from recommender import journey_views, operator_views, playlist_views, spotify_views, taste_views, views, why_views

app_name = "recommender"
urlpatterns = [
    path("", views.home, name="home"),
    path("adventure/", views.adventure, name="adventure"),
    path("for-you/<slug:section>/songs/<int:pk>/", views.answer, name="answer"),
    path("for-you/<uuid:page>/songs/<int:pk>/menu/", why_views.menu, name="menu"),
    path("for-you/<uuid:page>/songs/<int:pk>/why/", why_views.why, name="why"),
    path("for-you/<uuid:page>/songs/<int:pk>/wrong/", why_views.wrong_reason, name="wrong_reason"),
    path("taste/", taste_views.taste, name="taste"),
    path("songs/<int:pk>/similar/", views.similar, name="similar"),
    path("journey/", journey_views.journey, name="journey"),
    path("playlists/<int:pk>/fill/", playlist_views.fill, name="playlist_fill"),
    path("spotify/playlists/for-you/", spotify_views.save, name="spotify_save"),
    path("operator/", operator_views.how_it_goes, name="going"),
    path("operator/quality/", operator_views.quality, name="quality"),
    path("operator/models/<int:pk>/activate/", operator_views.activate_version, name="activate"),
]
