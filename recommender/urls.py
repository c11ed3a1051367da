"""Addresses of the recommender app."""

from django.urls import path

from recommender.operators import views as operators
from recommender.pages.views import explanations, for_you, playlist_continuation, similar, spotify, taste, track_path

app_name = "recommender"
urlpatterns = [
    path("", for_you.home, name="home"),
    path("for-you/new/", for_you.new_songs, name="new_songs"),
    path("adventure/", for_you.adventure, name="adventure"),
    path("for-you/<slug:section>/songs/<int:pk>/", for_you.rate_in_section, name="rate_in_section"),
    path("for-you/<uuid:page>/songs/<int:pk>/menu/", explanations.menu, name="menu"),
    path("for-you/<uuid:page>/songs/<int:pk>/why/", explanations.why, name="why"),
    path("for-you/<uuid:page>/songs/<int:pk>/wrong/", explanations.wrong_reason, name="wrong_reason"),
    path("taste/", taste.taste, name="taste"),
    path("songs/<int:pk>/why/", explanations.song_why, name="song_why"),
    path("songs/<int:pk>/menu/", explanations.song_menu, name="song_menu"),
    path("songs/<int:pk>/similar/", similar.similar, name="similar"),
    path("journey/", track_path.journey, name="journey"),
    path("playlists/<int:pk>/fill/", playlist_continuation.fill, name="playlist_fill"),
    path("spotify/playlists/for-you/", spotify.save, name="spotify_save"),
    path("operator/", operators.site_dashboard, name="going"),
    path("operator/quality/", operators.quality, name="quality"),
    path("operator/models/<int:pk>/activate/", operators.activate_version, name="activate"),
]
