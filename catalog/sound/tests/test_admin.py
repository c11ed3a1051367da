"""The administration's lists of sound say what will be in them."""

import pytest
from django.test import Client

from catalog.models import MusicServer, ServerSong, SoundAnalysis, SoundCalibration
from catalog.tests.factories import make_track

ANALYSES, CALIBRATIONS = "/admin/catalog/soundanalysis/", "/admin/catalog/soundcalibration/"
RUN = "Run “manage.py analyse_sound”, or wait for the background job that does the same."


def test_an_empty_list_of_analyses_says_how_it_is_filled(admin_client: Client) -> None:
    page = admin_client.get(ANALYSES).content.decode()
    assert "Tempo, key and loudness of each recording will be listed here." in page
    assert "First connect a music server" in page
    assert RUN in page
    server = MusicServer.objects.create(kind="subsonic", address="https://music.example.org")
    song = ServerSong.objects.create(server=server, track=make_track(), remote_id="1", digest="1", reading=1)
    assert "First connect a music server" not in admin_client.get(ANALYSES).content.decode()
    SoundAnalysis.objects.create(server_song=song, digest="1", engine="test", version="1", state="empty")
    assert RUN not in admin_client.get(ANALYSES).content.decode()
    # A filter that finds nothing does not mean that there is nothing.
    assert RUN not in admin_client.get(f"{ANALYSES}?state__exact=broken").content.decode()


def test_an_empty_list_of_calibrations_says_what_it_waits_for(admin_client: Client) -> None:
    page = admin_client.get(CALIBRATIONS).content.decode()
    assert "They need 100 songs with a recording and with audio features from your catalogue." in page
    assert RUN in page
    SoundCalibration.objects.create(version="1", pairs=100)
    assert RUN not in admin_client.get(CALIBRATIONS).content.decode()


@pytest.mark.usefixtures("tools")
def test_songs_that_a_calibration_can_be_fitted_on_are_counted(admin_client: Client) -> None:
    assert "0 songs have both so far." in admin_client.get(CALIBRATIONS).content.decode()
