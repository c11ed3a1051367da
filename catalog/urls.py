"""Addresses of the catalog app."""

from django.urls import path

from catalog import views

app_name = "catalog"
urlpatterns = [
    path("songs/", views.browse, name="browse"),
    path("search/", views.find, name="search"),
    path("songs/<int:pk>/", views.track, name="track"),
    path("artists/<int:pk>/", views.artist, name="artist"),
    path("genres/", views.genres, name="genres"),
    path("genres/<int:pk>/", views.genre, name="genre"),
]
