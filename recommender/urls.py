"""Addresses of the recommender app."""

from django.urls import path, re_path

from recommender.blends import views as blends
from recommender.operators import views as operators
from recommender.operators.experiments import views as experiments
from recommender.pages.views import explanations, for_you, playlist_continuation, similar, spotify, taste, track_path
from recommender.proxy import plugin_views as plugin
from recommender.proxy import views as proxy
from recommender.weekly import feed_views as week_feeds
from recommender.weekly import views as weeks

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
    path("week/", weeks.latest, name="weeks"),
    path("week/<int:pk>/", weeks.week, name="week"),
    path("week/<int:pk>/save/", weeks.save, name="week_save"),
    re_path(r"^week/(?P<pk>\d{1,18})\.(?P<kind>m3u|jspf|csv)$", weeks.export, name="week_export"),
    path("week/follow/", weeks.follow, name="week_follow"),
    path("week/follow/end/", weeks.end_feed, name="week_feed_end"),
    path("week/follow/email/", weeks.emails, name="week_emails"),
    path("week/feed/<str:token>/atom.xml", week_feeds.atom_feed, name="week_atom"),
    path("week/feed/<str:token>/feed.json", week_feeds.json_feed, name="week_json"),
    path("week/email/<str:token>/", week_feeds.email_end, name="week_email_end"),
    path("blends/", blends.blends, name="blends"),
    path("blends/<int:pk>/", blends.blend, name="blend"),
    path("blends/<int:pk>/rename/", blends.rename, name="blend_rename"),
    path("blends/<int:pk>/save/", blends.save, name="blend_save"),
    path("blends/<int:pk>/leave/", blends.leave, name="blend_leave"),
    path("blends/<int:pk>/invite/", blends.invite, name="blend_invite"),
    path("blends/<int:pk>/invitations/<int:invitation_pk>/withdraw/", blends.withdraw, name="blend_withdraw"),
    path("blends/invitations/<int:pk>/", blends.invitation, name="blend_invitation"),
    path("rest/<path:path>", proxy.rest, name="proxy"),
    path("navidrome/api/similar_tracks", plugin.similar_tracks, name="plugin_tracks"),
    path("navidrome/api/find_path", plugin.find_path, name="plugin_path"),
    path("navidrome/api/similar_artists", plugin.similar_artists, name="plugin_artists"),
    path("operator/", operators.site_dashboard, name="going"),
    path("operator/quality/", operators.quality, name="quality"),
    path("operator/experiments/", experiments.experiments, name="experiments"),
    path("operator/experiments/new/", experiments.create, name="experiment_create"),
    path("operator/experiments/reset/", experiments.reset, name="experiment_reset"),
    path("operator/experiments/<int:pk>/", experiments.experiment, name="experiment"),
    path("operator/experiments/<int:pk>/start/", experiments.start, name="experiment_start"),
    path("operator/experiments/<int:pk>/stop/", experiments.stop, name="experiment_stop"),
    path("operator/experiments/<int:pk>/adopt/", experiments.adopt, name="experiment_adopt"),
    path("operator/models/<int:pk>/activate/", operators.activate_version, name="activate"),
]
