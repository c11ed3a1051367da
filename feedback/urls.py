"""Addresses of the feedback app."""

from django.urls import path, re_path

from feedback import (
    history_views,
    playlist_views,
    spotify_views,
    start_views,
    statistics_views,
    steering_views,
    views,
)

app_name = "feedback"
urlpatterns = [
    path("songs/<int:pk>/rate/", views.rate, name="rate"),
    path("songs/<int:pk>/listen/", views.listen, name="listen"),
    path("songs/<int:pk>/rest/", steering_views.rest, name="rest"),
    path("taste/block/", steering_views.block, name="block"),
    path("taste/unblock/", steering_views.unblock, name="unblock"),
    path("taste/adjust/", steering_views.adjust, name="adjust"),
    path("taste/exclude/", steering_views.exclude, name="exclude"),
    path("taste/exclude/period/", steering_views.exclude_period, name="exclude_period"),
    path("taste/exclude/<int:pk>/remove/", steering_views.count_again, name="count_again"),
    path("taste/private/", steering_views.private_session, name="private_session"),
    path("ratings/", views.ratings, name="ratings"),
    path("history/", views.history, name="history"),
    path("history/<int:pk>/remove/", views.remove_play, name="play_remove"),
    path("history/import/", history_views.import_history, name="history_imports"),
    path("history/import/<int:pk>/", history_views.show_import, name="history_import"),
    path("history/import/<int:pk>/unmatched.csv", history_views.download_unmatched, name="history_unmatched"),
    re_path(
        r"^history/import/(?P<pk>\d{1,18})/(?P<action>stop|continue|undo)/$",
        history_views.change_import,
        name="history_change",
    ),
    path("history.csv", statistics_views.export_history, name="history_export"),
    path("statistics/", statistics_views.statistics, name="statistics"),
    path("history/restore/", views.restore_play, name="play_restore"),
    path("songs/<int:pk>/playlists/", playlist_views.track_playlists, name="track_playlists"),
    path("playlists/", playlist_views.playlists, name="playlists"),
    path("playlists/<int:pk>/", playlist_views.playlist, name="playlist"),
    path("playlists/<int:pk>/rename/", playlist_views.rename, name="playlist_rename"),
    path("playlists/<int:pk>/delete/", playlist_views.delete, name="playlist_delete"),
    path("playlists/<int:pk>/move/", playlist_views.move, name="playlist_move"),
    path("playlists/<int:pk>/remove/", playlist_views.remove, name="playlist_remove"),
    path("playlists/<int:pk>/restore/", playlist_views.restore, name="playlist_restore"),
    re_path(r"^playlists/(?P<pk>\d{1,18})\.(?P<kind>m3u|jspf|csv)$", playlist_views.export, name="playlist_export"),
    path("start/", start_views.genres, name="start"),
    path("start/artists/", start_views.artists, name="start_artists"),
    path("start/adventure/", start_views.adventure, name="start_adventure"),
    path("spotify/", spotify_views.spotify, name="spotify"),
    path("spotify/delete/", spotify_views.take_back, name="spotify_take_back"),
    path("spotify/playlists/", spotify_views.playlists, name="spotify_playlists"),
    path("spotify/playlists/import/", spotify_views.import_playlist, name="spotify_import"),
    path("spotify/playlists/likes/", spotify_views.save_likes, name="spotify_save_likes"),
]
