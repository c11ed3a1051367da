"""What only came through Spotify is in no model, unless the operator's own catalogue has it, too."""

from pathlib import Path

import pytest

from catalog.importing.service import import_tracks
from catalog.models import Track
from catalog.tests.factories import make_track
from recommender.adapters.catalogue import catalogue_state, load_catalogue

pytestmark = pytest.mark.django_db


def test_songs_and_features_that_spotify_gave_are_not_read(tmp_path: Path) -> None:
    mine = make_track("Mine", features={"tempo": 120.0}, features_origin="csv", origin="csv")
    measured = make_track("Measured there", features={"tempo": 90.0}, features_origin="spotify", origin="csv")
    theirs = make_track("Theirs", "Nordlys", spotify_id="t" * 22, origin="spotify")

    catalogue = load_catalogue()

    assert catalogue.track_ids.tolist() == [mine.pk, measured.pk]
    tempo = catalogue.features[:, catalogue.feature_columns.index("tempo")]
    assert tempo[0] == 120.0
    assert tempo[1] != tempo[1]

    # The operator's own file has it: it is theirs now.
    before = catalogue_state()
    path = tmp_path / "songs.csv"
    path.write_text(f"track_id,track_name,artists,album_name\n{'t' * 22},Theirs,Nordlys,Winter\n", encoding="utf-8")
    import_tracks(source=path)

    assert Track.objects.get(pk=theirs.pk).origin == "csv"
    assert theirs.pk in load_catalogue().track_ids.tolist()
    assert catalogue_state() != before
