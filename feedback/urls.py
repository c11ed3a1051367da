"""Addresses of the feedback app."""

from django.urls import path, re_path

from feedback.history_import import views as history_views
from feedback.music_servers import views as server_views
from feedback.onboarding import views as onboarding_views
from feedback.playlists import views as playlist_views
from feedback.plays import views as play_views
from feedback.preferences import views as preference_views
from feedback.ratings import views as rating_views
from feedback.scrobbling import views as player_views
from feedback.scrobbling.protocols import audioscrobbler, lastfm, listenbrainz
from feedback.spotify_import import views as spotify_views
from feedback.statistics import views as statistics_views
from feedback.year_review import views as year_views

app_name = "feedback"
urlpatterns = [
    path("songs/<int:pk>/rate/", rating_views.rate, name="rate"),
    path("songs/<int:pk>/listen/", play_views.listen, name="listen"),
    path("taste/block/", preference_views.block, name="block"),
    path("taste/unblock/", preference_views.unblock, name="unblock"),
    path("taste/adjust/", preference_views.adjust, name="adjust"),
    path("artists/<int:pk>/follow/", preference_views.follow, name="follow"),
    path("taste/exclude/", preference_views.exclude, name="exclude"),
    path("taste/exclude/period/", preference_views.exclude_period, name="exclude_period"),
    path("taste/exclude/<int:pk>/remove/", preference_views.remove_exclusion, name="remove_exclusion"),
    path("taste/private/", preference_views.private_session, name="private_session"),
    path("ratings/", rating_views.ratings, name="ratings"),
    path("history/", play_views.history, name="history"),
    path("history/<int:pk>/remove/", play_views.remove_play, name="play_remove"),
    path("history/doubles/", play_views.doubles, name="history_doubles"),
    re_path(r"^history/doubles/(?P<action>remove|put-back)/$", play_views.change_doubles, name="doubles_change"),
    path("history/import/", history_views.import_history, name="history_imports"),
    path("history/import/<int:pk>/", history_views.show_import, name="history_import"),
    path("history/import/<int:pk>/unmatched.csv", history_views.download_unmatched, name="history_unmatched"),
    re_path(
        r"^history/import/(?P<pk>\d{1,18})/(?P<action>stop|continue|undo|day-first|month-first)/$",
        history_views.change_import,
        name="history_change",
    ),
    path("history.csv", play_views.export_history, name="history_export"),
    path("statistics/", statistics_views.statistics, name="statistics"),
    path("statistics/<int:number>/", year_views.year, name="year"),
    path("statistics/<int:number>/<int:card_number>.svg", year_views.card, name="year_card"),
    path("statistics/<int:number>/share/", year_views.share, name="year_share"),
    path("statistics/<int:number>/stop/", year_views.stop, name="year_stop"),
    path("year/<str:token>/", year_views.shared, name="year_shared"),
    path("year/<str:token>/<int:card_number>.svg", year_views.shared_card, name="year_shared_card"),
    path("history/restore/", play_views.restore_play, name="play_restore"),
    path("songs/<int:pk>/playlists/", playlist_views.track_playlists, name="track_playlists"),
    path("playlists/", playlist_views.playlists, name="playlists"),
    path("playlists/<int:pk>/", playlist_views.playlist, name="playlist"),
    path("playlists/<int:pk>/rename/", playlist_views.rename, name="playlist_rename"),
    path("playlists/<int:pk>/delete/", playlist_views.delete, name="playlist_delete"),
    path("playlists/<int:pk>/move/", playlist_views.move, name="playlist_move"),
    path("playlists/<int:pk>/remove/", playlist_views.remove, name="playlist_remove"),
    path("playlists/<int:pk>/restore/", playlist_views.restore, name="playlist_restore"),
    re_path(r"^playlists/(?P<pk>\d{1,18})\.(?P<kind>m3u|jspf|csv)$", playlist_views.export, name="playlist_export"),
    path("start/", onboarding_views.genres, name="start"),
    path("start/artists/", onboarding_views.artists, name="start_artists"),
    path("start/adventure/", onboarding_views.adventure, name="start_adventure"),
    path("spotify/", spotify_views.spotify, name="spotify"),
    path("spotify/delete/", spotify_views.take_back, name="spotify_take_back"),
    path("spotify/disconnect/", spotify_views.disconnect, name="spotify_disconnect"),
    path("spotify/playlists/", spotify_views.playlists, name="spotify_playlists"),
    path("spotify/playlists/import/", spotify_views.import_playlist, name="spotify_import"),
    path("spotify/playlists/likes/", spotify_views.save_likes, name="spotify_save_likes"),
    path("players/", player_views.players, name="players"),
    path("players/<int:pk>/revoke/", player_views.revoke, name="player_revoke"),
    path("players/old-protocols/", player_views.old_protocols, name="old_protocols"),
    path("players/songs/<int:pk>/", player_views.match, name="player_match"),
    path("players/songs/<int:pk>/choose/", player_views.choose, name="player_choose"),
    path("players/songs/<int:pk>/undo/", player_views.undo, name="player_undo"),
    path("players/servers/", server_views.servers, name="music_servers"),
    path("players/servers/<int:pk>/", server_views.link, name="music_server_link"),
    path("players/servers/<int:pk>/code/", server_views.code, name="music_server_code"),
    path("players/servers/<int:pk>/stars/", server_views.read_marks, name="music_server_marks"),
    path("players/servers/<int:pk>/unlink/", server_views.unlink, name="music_server_unlink"),
    path("players/servers/lists/", server_views.push, name="list_push"),
    path("players/servers/lists/<int:pk>/stop/", server_views.stop, name="list_stop"),
    path("1/validate-token", listenbrainz.validate_token, name="listenbrainz_token"),
    path("1/submit-listens", listenbrainz.submit_listens, name="listenbrainz_submit"),
    path("1/feedback/recording-feedback", listenbrainz.recording_feedback, name="listenbrainz_feedback"),
    path("1/user/<str:username>/listens", listenbrainz.listens, name="listenbrainz_listens"),
    path("1/user/<str:username>/listen-count", listenbrainz.listen_count, name="listenbrainz_count"),
    path("1/user/<str:username>/playing-now", listenbrainz.playing_now, name="listenbrainz_playing"),
    # Told without the slash, a listen would be lost in a redirect.
    path("2.0", lastfm.call, name="lastfm"),
    path("2.0/", lastfm.call, name="lastfm"),
    path("audioscrobbler/", audioscrobbler.handshake, name="audioscrobbler"),
    path("audioscrobbler/np_1.2", audioscrobbler.now_playing, name="audioscrobbler_now"),
    path("audioscrobbler/protocol_1.2", audioscrobbler.submit, name="audioscrobbler_submit"),
]
