"""Addresses of the player, all under /player/."""

from django.urls import path

from feedback.player import spotify_views as spotify
from feedback.player import views
from recommender.pages.views.radio import go_next

app_name = "player"
urlpatterns = [
    path("state/", views.state, name="state"),
    path("playing/", views.playing, name="playing"),
    path("queue/", views.panel, name="queue"),
    path("play/", views.play_now, name="play"),
    path("list/", views.play_list, name="list"),
    path("add/", views.add, name="add"),
    path("remove/", views.remove, name="remove"),
    path("move/", views.move, name="move"),
    path("jump/", views.jump, name="jump"),
    path("next/", go_next, name="next"),
    path("previous/", views.previous, name="previous"),
    path("shuffle/", views.shuffle, name="shuffle"),
    path("clear/", views.clear, name="clear"),
    path("report/", views.report, name="report"),
    path("spotify/token/", spotify.token, name="spotify_token"),
    path("spotify/devices/", spotify.devices, name="spotify_devices"),
    path("spotify/now/", spotify.now, name="spotify_now"),
    path("spotify/command/", spotify.command, name="spotify_command"),
]
