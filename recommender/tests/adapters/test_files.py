import gzip
from pathlib import Path

import numpy as np
import pytest

from catalog.importing.service import import_tracks
from recommender.adapters.catalogue import load_catalogue
from recommender.adapters.files import InputError, Inputs, read_inputs

HEADER = "track_id,track_name,artists,album_name,popularity,explicit,energy,track_genre\n"
SONGS = [
    f"{'a' * 22},Blue,Ann;Bob,Colours,40,True,0.5,folk",
    f"{'b' * 22},Blue - Live,ANN,,,False,,pop",
    f"{'c' * 22},Hits,Ann,Greatest Hits,10,False,0.1,",
    f"{'d' * 22},Hits,Cat,Greatest Hits,20,False,0.2,pop",
    f"{'e' * 22},More,Cat,greatest hits!,30,False,0.3,pop",
    f"{'a' * 22},Blue,Ann;Bob,Colours,40,True,0.5,rock",
]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def catalogue_file(folder: Path, *more: str) -> Path:
    return write(folder / "songs.csv", HEADER + "\n".join([*SONGS, *more]) + "\n")


def read(folder: Path, interactions: str, *more: str) -> Inputs:
    return read_inputs(write(folder / "plays.csv", interactions), catalogue_file(folder, *more))


def error(folder: Path, interactions: str) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, interactions)
    return str(caught.value)


@pytest.mark.django_db
def test_the_catalogue_is_the_one_that_the_database_would_give(tmp_path: Path) -> None:
    from_file = read(tmp_path, f"listener,track_id\nx,{'a' * 22}\n").catalogue
    import_tracks(source=tmp_path / "songs.csv")
    from_database = load_catalogue()
    assert from_file.feature_columns == from_database.feature_columns
    # The database numbers genres in alphabetical order, a file in the order of their appearance; ids are its own.
    named_alike = from_file.arrays().keys() - {"track_ids", "artist_ids", "genre_ids", "genre_indices"}
    for name in named_alike:
        np.testing.assert_array_equal(from_file.arrays()[name], from_database.arrays()[name], err_msg=name)
    assert from_file.recording.tolist() == [0, 0, 1, 2, 3]
    assert from_file.album.tolist() == [0, -1, 1, 2, 2]
    assert [len(from_file.artists_at(row)) for row in range(5)] == [2, 1, 1, 1, 1]
    assert np.diff(from_file.genre_indptr).tolist() == [2, 1, 0, 1, 1]


def test_plays_are_summed_and_graded(tmp_path: Path) -> None:
    rows = [
        f"x,ignored,{'c' * 22},1",
        f"x,ignored,{'a' * 22},3",
        f"x,ignored,{'a' * 22},1",
        f"y,ignored,{'c' * 22},1e9",
    ]
    inputs = read(tmp_path, "Listener,more,TRACK_ID,plays\n" + "\n".join(rows))
    results = inputs.interactions
    assert results.listener.tolist() == [0, 0, 1]
    assert results.row.tolist() == [0, 2, 2]
    assert results.weight.tolist() == [1.5, 1.0, 2.0]
    assert inputs.plays.tolist() == [4.0, 1.0, 1e9]
    assert inputs.track_ids[2] == "c" * 22


def test_without_plays_each_row_is_one(tmp_path: Path) -> None:
    inputs = read(tmp_path, f"listener,track_id\nx,{'a' * 22}\nx,spotify:track:{'a' * 22}\nx,{'b' * 22}\n")
    assert inputs.plays.tolist() == [2.0, 1.0]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    plays = f"listener,track_id\nx,{'a' * 22}\nx,{'z' * 22}\ny,{'z' * 22}\ny,other\n"
    inputs = read(tmp_path, plays, f"{'f' * 22},,Ann,,,,,")
    assert inputs.interactions.n_listeners == 1
    assert inputs.notes == (
        "catalogue: 7 rows, 5 songs",
        "rejected: 1 rows of the catalogue (the first at line 8: title: must not be empty)",
        "interactions: 4 rows, 1 pairs of 1 listeners and 1 tracks used",
        "skipped: 2 tracks that aren't in the catalogue, in 3 pairs",
        "skipped: 1 listeners, because none of their tracks are in the catalogue",
    )


def test_gzip_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "plays.csv.gz"
    path.write_bytes(gzip.compress(f"\ufefflistener,track_id,plays\r\nx,{'a' * 22},2\r\n".encode()))
    assert read_inputs(path, catalogue_file(tmp_path)).plays.tolist() == [2.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("listener,plays\nx,1\n", "line 1: the column 'track_id' is missing."),
        ("user,track_id\nx,1\n", "line 1: the column 'listener' is missing."),
        ("listener,track_id,plays\n\nx,a,1\nx,b,0\n", "line 4: plays: '0' must be a positive number"),
        ("listener,track_id,plays\nx,a,-1\n", "line 2: plays: '-1' must be a positive number"),
        ("listener,track_id,plays\nx,a,nan\n", "line 2: plays: 'nan' must be a positive number"),
        ("listener,track_id,plays\nx,a,inf\n", "line 2: plays: 'inf' must be a positive number"),
        ("listener,track_id,plays\nx,a,many\n", "line 2: plays: 'many' must be a positive number"),
        ("listener,track_id,plays\nx,a,\n", "line 2: plays: '' must be a positive number"),
        ("listener,track_id\nx, \n", "line 2: track_id is empty"),
        ("listener,track_id\n,a\n", "line 2: listener is empty"),
        ("listener,track_id,plays\nx,a\n", "line 2: has only 2 fields, fewer than there are columns"),
        ("listener,track_id\n", "has a header but no rows"),
        ("listener,track_id\nx,unknown\n", "none of its tracks are in"),
        ("", "the file is empty"),
    ],
)
def test_bad_interactions_are_refused_by_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    output = error(tmp_path, text)
    assert output.startswith(str(tmp_path / "plays.csv"))
    assert message in output


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "plays.csv"
    path.write_bytes(b"listener,track_id\nx,a\nx,\xff\n")
    with pytest.raises(InputError, match=r"line 3: isn't UTF-8 text"):
        read_inputs(path, catalogue_file(tmp_path))


def test_a_catalogue_without_ids_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "songs.csv", "title,artist\nBlue,Ann\n")
    with pytest.raises(InputError, match="has no track IDs, so it can't be matched with"):
        read_inputs(write(tmp_path / "plays.csv", "listener,track_id\nx,a\n"), path)


def test_a_missing_catalogue_is_named(tmp_path: Path) -> None:
    plays = write(tmp_path / "plays.csv", "listener,track_id\nx,a\n")
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        read_inputs(plays, tmp_path / "none.csv")
