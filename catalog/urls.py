"""Addresses of the catalog app."""

from django.urls import path

from catalog import views
from catalog.sources.sound import views as sound_views
from catalog.sources.spotify import views as spotify_views

app_name = "catalog"
urlpatterns = [
    path("songs/", views.browse, name="browse"),
    path("search/", views.find, name="search"),
    path("search/suggest/", views.suggest, name="suggest"),
    path("search/spotify/", spotify_views.find_on_spotify, name="spotify_search"),
    path("search/spotify/add/", spotify_views.add_found, name="spotify_add"),
    path("songs/<int:pk>/", views.track, name="track"),
    path("songs/<int:pk>/sketch.wav", views.sketch, name="sketch"),
    path("songs/<int:pk>/file", sound_views.song_file, name="song_file"),
    path("songs/<int:pk>/cover", sound_views.song_cover, name="song_cover"),
    path("artists/<int:pk>/", views.artist, name="artist"),
    path("artists/<int:pk>/album/", views.album, name="album"),
    path("genres/", views.genres, name="genres"),
    path("genres/<int:pk>/", views.genre, name="genre"),
]
