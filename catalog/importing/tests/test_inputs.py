"""Tables that were once misread: those that were reported, and others of the same kinds."""

# ruff: noqa: RUF001
import io
from pathlib import Path
from typing import Any

import pytest

from catalog.features import FEATURE_NAMES
from catalog.identity.text import artist_key
from catalog.importing.reading.layout import SHARES
from catalog.importing.reading.source import SourceError
from catalog.importing.service import ImportReport, import_tracks
from catalog.models import Artist, Track

FOLDER = Path(__file__).parent / "inputs"
pytestmark = pytest.mark.django_db
ID = "000000000000000000000"  # one digit short: tests add it


def load(text: str, **options: Any) -> ImportReport:
    return import_tracks(source=io.BytesIO(text.encode()), name="songs.csv", **options)


def songs(*fields: str) -> list[Any]:
    """The songs in the order of the file: title and artists, or ``fields`` of them."""
    tracks = Track.objects.order_by("pk").prefetch_related("credits__artist", "genres")
    return [tuple(value(song, name) for name in fields or ("title", "artists")) for song in tracks]


def value(song: Track, name: str) -> Any:
    if name == "artists":
        return [credit.artist.name for credit in sorted(song.credits.all(), key=lambda credit: credit.position)]
    if name == "genres":
        return sorted(genre.name for genre in song.genres.all())
    return song.features.get(name) if name in FEATURE_NAMES else getattr(song, name)


def from_folder(name: str, *fields: str) -> list[Any]:
    import_tracks(source=FOLDER / name)
    return songs(*fields)


# --- the reported ones -----------------------------------------------------------------------------------------------
def test_lists_with_escapes() -> None:
    assert from_folder("c01_json_escapes.csv", "artists", "genres") == [
        (["Beyoncé Test", "Motör Band"], ["canción"]),
        (["No Break", "ZeroWidth"], ["pop"]),
    ]


def test_music_genre() -> None:
    assert from_folder("c03_music_genre.csv", "title", "artists", "duration_ms", "tempo", "genres") == [
        ("One", ["Lena Voss"], None, 100.889, ["electronic"]),
        ("Two", [], 218_293, None, ["electronic"]),
        ("Three", [], 218_293, 115.0, ["jazz"]),
    ]


def test_song_name_goes_before_title() -> None:
    assert from_folder("c04_genres_v2.csv") == [("Mercury: Test", []), ("Real Song", [])]


@pytest.mark.parametrize("name", ["c05_2023.csv", "c05c_2023_renamed.csv"])
def test_percent_and_windows_1252(name: str) -> None:
    assert from_folder(name, "title", "artists", "release_year", "danceability", "energy", "tempo") == [
        ("Étoile", ["Lena Voss", "Jo Kern"], 2023, 0.8, 0.83, 125.0),
        ("Plain", ["Jo Kern"], 2023, 0.01, 0.01, 125.0),
    ]


def test_words_for_nothing() -> None:
    assert from_folder("c06_nan.csv", "title", "artists", "album", "energy", "tempo", "popularity") == [
        ("Uno", [], "", None, 120.0, 50),
        ("Dos", [], "Alb", 0.5, None, 50),
        ("Tres", [], "", 0.5, 120.0, None),
        ("Cuatro", [], "", 0.5, 120.0, 50),
        ("Cinco", [], "", 0.5, None, 50),
        ("Ocho", ["Lena"], "Alb", 0.5, None, 50),
    ]


def test_pipes() -> None:
    assert from_folder("c08_pipes.csv", "artists")[0] == (["Lena Voss", "Jo Kern"],)


def test_durations() -> None:
    assert from_folder("c09_duration.csv", "title", "duration_ms") == [
        ("A", 215_000), ("B", 225_000), ("C", 225_000), ("D", 215_000), ("E", 215_500), ("F", 225_000), ("G", 225_000),
        ("H", None),
    ]  # fmt: skip


def test_milliseconds_stay_what_the_heading_says() -> None:
    report = import_tracks(source=FOLDER / "c09b_duration_ms_clock.csv")
    assert songs("duration_ms") == [(225_000,), (215,), (215_000,), (215_000,), (215,)]
    assert report.columns.notes == (
        "duration_ms: '215' and the like are taken as milliseconds, as the heading says",
        "duration_ms: 3:45 is read as minutes and seconds",
    )


def test_a_german_spreadsheet() -> None:
    assert from_folder("c10_excel_de.csv", "duration_ms", "explicit", "energy", "tempo", "release_year") == [
        (215_000, True, 0.65, 120.5, 2019),
        (215_000, False, 0.5, 99.0, 2019),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("c13_sep.csv", [("Uno", ["Lena"])]),
        ("c19_trailing.csv", [("Uno", ["Lena"]), ("Dos", ["Lena"])]),
        ("c25_headernl.csv", [("Uno", ["Lena"])]),
        ("c27_intids.csv", [("Uno", ["Lena"]), ("Dos", ["Jo"])]),
        ("c27b_trackid_int.csv", [("Uno", ["Lena"]), ("Dos", ["Jo"])]),
        ("c29_backslash.csv", [('The "Best" Song', ["Lena"]), ('Comma, "Inside", Here', ["Lena"])]),
        ("c14_charts.csv", [("Uno", ["Lena Voss", "Jo Kern"])]),
    ],
)
def test_ways_to_write_a_table(name: str, expected: list[Any]) -> None:
    assert from_folder(name) == expected


def test_scripts() -> None:
    import_tracks(source=FOLDER / "c17_scripts.csv")
    names = ["राम", "रीमा", "கவி", "கோவா", "ばば", "はは", "หมู", "หมา", "रेम"]
    assert [artists for (artists,) in songs("artists")] == [[name] for name in names]
    assert Artist.objects.count() == 9


def test_intros_without_ids() -> None:
    assert from_folder("c21_intros.csv", "title", "album") == [
        ("Intro", "First"),
        ("Intro", "Second"),
        ("Intro", "Third"),
    ]
    again = import_tracks(source=FOLDER / "c21_intros.csv")
    assert (again.songs_created, again.songs_updated, again.songs_unchanged) == (0, 0, 3)


# --- others of their kinds -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "artists"),
    [
        ('"[""S\\u00e3o"", ""\\ud83c\\udfa9""]"', ["São", "🎩"]),
        ("\"('Ann',)\"", ["Ann"]),
        ('"{\'Ann\', ""Bob\'s""}"', ["Ann", "Bob's"]),
        ("\"['Ann' 'Bob']\"", ["Ann", "Bob"]),
        ("set()", []),
        ("[Ann]", ["Ann"]),
        ('"{Ann,""Bob & Co""}"', ["Ann", "Bob & Co"]),
        ('"[{""id"": ""1"", ""name"": ""Ann""}, {""id"": ""2"", ""name"": ""Bob""}]"', ["Ann", "Bob"]),
        ("\"['Ann', None]\"", ["Ann"]),
        ("\"[{'id': '1', 'name': 'Lena Voss'}, {'id': '2', 'name': 'Jo Kern'}]\"", ["Lena Voss", "Jo Kern"]),
        ("{'name': 'Lena Voss'}", ["Lena Voss"]),
        ('"{""id"": 1, ""name"": ""Lena Voss""}"', ["Lena Voss"]),
        ("['Ann'", ["Ann"]),
        ("\"['Ann', 'Bob', 'Cl\"", ["Ann", "Bob"]),
    ],
)
def test_lists(text: str, artists: list[str]) -> None:
    load(f"track_id,track_name,artists\n{ID}1,One,{text}\n")
    assert songs("artists") == [(artists,)]


def test_brackets_in_a_column_of_names_belong_to_the_name() -> None:
    load(f"track_id,track_name,artist\n{ID}1,One,[bsd.u]\n{ID}2,Two,Ann\n{ID}3,Three,(Hed) p.e.\n")
    assert songs("artists") == [(["[bsd.u]"],), (["Ann"],), (["(Hed) p.e."],)]


@pytest.mark.parametrize(
    "text", ["[pop, rock]", "{pop,rock}", "pop|rock", "('pop', 'rock')", "pop; rock", '[""pop"",""rock""]']
)
def test_genres(text: str) -> None:
    load(f'track_id,track_name,music_genre\n{ID}1,One,"{text}"\n')
    assert songs("genres") == [(["pop", "rock"],)]


def test_a_pipe_in_a_column_parted_by_semicolons_belongs_to_the_name() -> None:
    lines = [f"{number:022},Song {number},Ann;Bob" for number in range(40)]
    load("\n".join(["track_id,track_name,artists", *lines, f"{ID}x,One,M|O|O|N"]))
    assert songs("artists")[-1] == (["M|O|O|N"],)


def test_one_row_for_each_artist() -> None:
    text = f"track_id,track_name,artist_name\n{ID}1,One,Ann\n{ID}1,One,Bob\n{ID}2,Two,Cleo\n{ID}1,One,Ann\n"
    for chunk_bytes in (1, 1 << 20):
        report = load(text, chunk_bytes=chunk_bytes)
        assert songs() == [("One", ["Ann", "Bob"]), ("Two", ["Cleo"])]
    assert (report.songs_updated, report.songs_unchanged) == (0, 2)
    assert "artist_name: one row for each artist of a song" in report.columns.notes


def test_one_row_for_each_artist_first_seen_late() -> None:
    lines = [f"{number:022},Song {number},Ann {number}" for number in range(6000)]
    text = "\n".join(["track_id,track_name,artist_name", *lines, f"{ID}a,One,Ann", f"{ID}a,One,Bob", ""])
    report = load(text)
    assert Track.objects.get(title="One").artist_names == "Ann, Bob"
    assert "artist_name: one row for each artist of a song" in report.columns.notes


@pytest.mark.parametrize("word", ["nan", "NaN", "NULL", "\\N", "#N/A", "?", "-", "empty_field", "<NA>"])
def test_words_for_no_artist_and_no_number(word: str) -> None:
    report = load(f"track_id,track_name,artists,energy,popularity,duration_ms,isrc,year\n{ID}1,One" + f",{word}" * 6)
    assert report.rows_rejected == 0
    assert songs("artists", "energy", "popularity", "duration_ms", "isrc", "release_year") == [
        ([], None, None, None, "", None)
    ]
    assert report.columns.unknown == ("artists", "energy", "popularity", "duration_ms", "isrc", "year")


def test_artists_and_songs_may_be_called_none() -> None:
    load(f"track_id,track_name,artists,energy\n{ID}1,None,Ann,0.5\n{ID}2,?,None,\n")
    assert songs() == [("None", ["Ann"]), ("?", ["None"])]


def test_none_in_several_columns_is_nothing() -> None:
    load(f"track_id,track_name,artists,energy\n{ID}1,One,None,None\n{ID}2,Two,Ann,.5\n")
    assert songs("artists", "energy") == [([], None), (["Ann"], 0.5)]


@pytest.mark.parametrize(
    ("headings", "row", "title"),
    [("track_name,title", "Song,Playlist", "Song"), ("title,song_title", "Playlist,Song", "Song"),
     ("name,track", "Song,", "Song")],
)  # fmt: skip
def test_the_more_specific_and_better_filled_column_wins(headings: str, row: str, title: str) -> None:
    load(f"track_id,{headings}\n{ID}1,{row}\n")
    assert songs("title") == [(title,)]


@pytest.mark.parametrize(
    ("headings", "titles"),
    [
        ("name,title", [("S",), ("T",)]),
        ("title,name", [("S",), ("T",)]),
        ("track_name,title", [("Best of",), ("Best of",)]),
    ],
)
def test_a_column_that_never_varies_is_the_name_of_a_list(headings: str, titles: list[Any]) -> None:
    load(f"track_id,{headings},artist\n{ID}1,Best of,S,Ann\n{ID}2,Best of,T,Bo\n")
    assert songs("title") == titles


def test_a_hardly_filled_column_gives_way() -> None:
    report = load(f"track_id,song_name,title\n{ID}1,,One\n{ID}2,,Two\n{ID}3,x,Three\n")
    assert songs("title") == [("One",), ("Two",), ("Three",)]
    assert report.columns.notes == ("title is the title, not song_name",)


@pytest.mark.parametrize(
    ("heading", "texts", "energies"),
    [
        ("energy", ["65", "1", "80"], [0.65, 0.01, 0.8]),
        ("energy_%", ["1", "0", "1"], [0.01, 0.0, 0.01]),
        ("Energy (percent)", ["1", "2.5", "100"], [0.01, 0.025, 1.0]),
        ("energy", ["65%", "1%", "0.5%"], [0.65, 0.01, 0.005]),
        ("energy", ["1", "0.5", "0"], [1.0, 0.5, 0.0]),
        ("danceability", ["6.5", "7.2", "10"], [0.65, 0.72, 1.0]),
        ("energy", [".65", "65%", "1%"], [0.65, 0.65, 0.01]),
        ("speechiness", ["6.5", "7.2", "9.5"], [0.065, 0.072, 0.095]),
    ],
)
def test_per_cent_is_told_by_the_column(heading: str, texts: list[str], energies: list[float]) -> None:
    load("\n".join([f"track_id,track_name,{heading}", *(f"{ID}{n},S{n},{text}" for n, text in enumerate(texts))]))
    assert songs(heading if heading in SHARES else "energy") == [(energy,) for energy in energies]


@pytest.mark.parametrize(
    ("texts", "milliseconds"),
    [
        (["200", "45", "390"], [200_000, 45_000, 390_000]),
        (["3.5", "4", "2.25"], [210_000, 240_000, 135_000]),
        (["200000", "5000", "300000"], [200_000, 5000, 300_000]),
        (["3:20", "1:02:03", "0:45"], [200_000, 3_723_000, 45_000]),
        (["3 min 20 s", "200s", "3m"], [200_000, 200_000, 180_000]),
        (["-1", "0", "250"], [None, None, 250_000]),
        (["03:45:00", "02:30:00"], [225_000, 150_000]),
        (["03:45:00", "00:30:10"], [13_500_000, 1_810_000]),
        (["225000000", "180000000"], [225_000, 180_000]),
        (["3.5", "3.5", "4", "65.2"], [210_000, 210_000, 240_000, 3_912_000]),
        (["215000", "180000", "215"], [215_000, 180_000, 215_000]),
    ],
)
def test_the_unit_of_a_duration_is_told_by_the_column(texts: list[str], milliseconds: list[int | None]) -> None:
    load("\n".join(["track_id,track_name,duration", *(f"{ID}{n},S{n},{text}" for n, text in enumerate(texts))]))
    assert songs("duration_ms") == [(ms,) for ms in milliseconds]


@pytest.mark.parametrize(
    ("name", "other"),
    [("+44", "44"), ("$NOT", "Not"), ("&ME", "≠ME"), ("Magic!", "Magic"), ("-M-", "M"), ("Zøe", "Zoé"),
     ("#1", "1"), ("がが", "かか"), ("কবি", "কাবা"), ("ಮನ", "ಮಾನ"), ("C++", "C"), ("!!!", "???"),
     ("A*", "A"), ("JOY.", "Joy")],
)  # fmt: skip
@pytest.mark.parametrize("is_first", [True, False])
def test_two_names_of_one_file_are_two_artists(name: str, other: str, is_first: bool) -> None:
    names = [name, other] if is_first else [other, name]
    text = "track_id,track_name,artists\n" + "".join(f"{ID}{n},Song {n},{cell}\n" for n, cell in enumerate(names))
    load(text)
    assert songs("artists") == [([names_cell],) for names_cell in names]
    again = load(text, chunk_bytes=1)
    assert (again.songs_created, again.songs_updated) == (0, 0)
    assert Artist.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "other"),
    [("Beyoncé", "BEYONCE"), ("JAY-Z", "Jay Z"), ("T.I.", "T.I"), ("Άννα", "Αννα"), ("М\u0443\u0301з", "Муз"),
     ("Ray Parker, Jr.", "Ray Parker Jr"), ("'Ann Bee'", "Ann Bee"), ("\uff21nn", "Ann"), ("Don\u2019t", "Don't")],
)  # fmt: skip
def test_other_ways_to_write_a_name_are_one_artist(name: str, other: str) -> None:
    load(f'track_id,track_name,artist\n{ID}1,One,"{name}"\n{ID}2,Two,"{other}"\n')
    assert Artist.objects.count() == 1


def test_names_that_a_later_file_tells_apart() -> None:
    load(f"track_id,track_name,artists\n{ID}1,One,MAGIC!\n")
    before = Artist.objects.get()
    load(f"track_id,track_name,artists\n{ID}2,Two,Magic\n")
    assert Artist.objects.count() == 1
    text = f"track_id,track_name,artists\n{ID}1,One,MAGIC!\n{ID}2,Two,Magic\n"
    assert load(text, is_dry_run=True).songs_updated == 1
    assert load(text).songs_updated == 1
    assert songs("artists") == [(["MAGIC!"],), (["Magic"],)]
    before.refresh_from_db()
    assert before.name == "MAGIC!"
    assert Artist.objects.get(name="Magic").key == artist_key("Magic")
    before.save()
    assert load(f"track_id,track_name,artists\n{ID}1,One,Magic!\n").songs_updated == 0


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("Intro,Ann,First,60000\nIntro,Ann,Second,61000\n", 1),
        ("Intro,Ann,First,60000\nIntro,Ann,Second,90000\n", 2),
        ("Intro,Ann,First,\nIntro,Ann,,\n", 1),
        ("Intro,Ann,,\nIntro,Ann,First,\nIntro,Ann,Second,\n", 2),
        ("Intro,Ann,,60000\nIntro,Ann,,190000\nIntro,Ann,,400000\n", 3),
        ("Intro,Ann,,60000\nIntro,Ann,,61500\nIntro,Ann,,\n", 1),
        ("Interlude,Ann,First,30000\nInterlude,Ann,First,90000\n", 2),
        ("Intro,Various Artists,First,60000\nIntro,Various Artists,Second,60000\n", 2),
        ("Intro,Unknown Artist,First,60000\nIntro,Unknown Artist,Second,60000\n", 2),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20])
def test_songs_without_ids_on_several_albums(rows: str, expected: int, chunk_bytes: int) -> None:
    text = "title,artist,album,duration_ms\n" + rows
    assert load(text, chunk_bytes=chunk_bytes).songs_created == expected
    again = load(text, chunk_bytes=chunk_bytes)
    assert (again.songs_created, again.songs_updated, again.songs_unchanged) == (0, 0, expected)


def test_ids_albums_and_lengths_tell_recordings_apart() -> None:
    rows = [
        "Intro,First,60000",
        "Intro,Second,95000",
        "Intro - Live,Third,200000",
        "Intro,Fourth,61000",
        "Intro,,200000",
    ]
    load(
        "track_id,track_name,album,duration_ms,artists\n"
        + "".join(f"{ID}{n},{row},Ann\n" for n, row in enumerate(rows))
    )
    keys = [key for (key,) in songs("recording_key")]
    assert [keys.index(key) for key in keys] == [0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sep=\t\ntrack_id\ttrack_name\n{0}1\tOne\n", "One"),
        ('"track_id","track\nname"\n{0}1,One\n', "One"),
        ("track_id;track_name;\n{0}1;One;\n", "One"),
        ("track_id;track_name;\n{0}1;One\n", "One"),
        ("track_id|track_name\n{0}1|One\n", "One"),
        ('track_id,track_name\n{0}1,"Say \\"hi\\", you"\n{0}2,"a\\"b"\n', 'Say "hi", you'),
        ('track_id,track_name\n{0}1,"Say ""hi"" \\ you"\n', 'Say "hi" \\ you'),
        ("\ufeffsep=,\r\ntrack_id,track_name\r\n{0}1,One\r\n", "One"),
    ],
)
def test_more_ways_to_write_a_table(text: str, expected: str) -> None:
    assert load(text.format(ID)).rows_rejected == 0
    assert songs("title")[0] == (expected,)


@pytest.mark.parametrize("column", ["uri", "url", "track_url", "Spotify Track Id", "track_href", "link"])
def test_ids_under_other_headings(column: str) -> None:
    text = "https://open.spotify.com/intl-de/track/" if column != "track_href" else "https://api.spotify.com/v1/tracks/"
    load(f"id,title,artist,{column}\n7,One,Ann,{text}{ID}1\n")
    assert songs("spotify_id") == [(ID + "1",)]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("lines_before", [0, 30_000])
def test_encodings(encoding: str, lines_before: int) -> None:
    lines = ["name,artist", *["Song,Ann"] * lines_before, "Café,Zoë"]
    report = import_tracks(source=io.BytesIO("\n".join(lines).encode(encoding)), name="songs.csv")
    assert ("Café", ["Zoë"]) in songs()
    assert [note for note in report.columns.notes if "1252" in note] == (
        ["the text is Windows-1252, not UTF-8"] if encoding == "cp1252" else []
    )


def test_short_headings_of_a_chart() -> None:
    load("title,artist,top genre,year,bpm,nrgy,dnce,dB,live,val,dur,acous,spch,pop\n"
         "One,Ann,pop,2019,97,89,67,-4,8,80,217,19,4,83\n"
         "Two,Ann,pop,2019,97,1,67,-4,8,80,190,0,4,80\n")  # fmt: skip
    assert songs("title", "genres", "release_year", "tempo", "energy", "danceability", "duration_ms", "popularity") == [
        ("One", ["pop"], 2019, 97.0, 0.89, 0.67, 217_000, 83),
        ("Two", ["pop"], 2019, 97.0, 0.01, 0.67, 190_000, 80),
    ]


def test_the_report_says_what_was_used() -> None:
    report = load(f"url,title,song_name,lyrics,energy\nspotify:track:{ID}1,List,One,la,\n", is_dry_run=True)
    columns = report.columns
    assert columns.used == (("url", "spotify_id"), ("song_name", "title"), ("energy", "energy"))
    assert (columns.not_used, columns.unknown) == (("title", "lyrics"), ("energy",))
    assert columns.notes == ("song_name is the title, not title",)


def test_a_mapping_says_it_better() -> None:
    load(f"track_id,what,who,album\n{ID}1,One,Ann,X\n", mapping={"title": "what", "artists": "WHO", "album": ""})
    assert songs("title", "artists", "album") == [("One", ["Ann"], "")]


@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20])
@pytest.mark.parametrize("heading", ["id", "track_id"])
def test_different_songs_with_one_id(heading: str, chunk_bytes: int) -> None:
    text = f"{heading},name,artist\n{ID}1,S,Ann\n{ID}1,T,Bo\n{ID}1,S,Ann\n{ID}2,U,Cleo\n"
    load(text, chunk_bytes=chunk_bytes)
    assert songs() == [("S", ["Ann"]), ("T", ["Bo"]), ("U", ["Cleo"])]
    again = load(text, chunk_bytes=chunk_bytes)
    assert (again.songs_created, again.songs_updated) == (0, 0)


def test_ids_of_artists_are_no_ids_of_songs() -> None:
    report = load(f"id,name,artist\n{ID}1,S,Ann\n{ID}1,T,Ann\n{ID}2,U,Bo\n")
    assert songs("title", "spotify_id") == [("S", None), ("T", None), ("U", None)]
    assert report.columns.notes == ("id is the same for different songs: songs are known by title and artists",)


def test_a_song_keeps_its_id_under_another_title() -> None:
    load(
        f"id,name,artist\n{ID}1,S,Ann\n{ID}1,S - Live,Ann\n{ID}2,U,Bo\n{ID}2,V,Bo;Cleo\n"
        + "".join(f"{number:022},Song {number},Ann\n" for number in range(10, 20))
    )
    assert Track.objects.count() == 12


@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20])
@pytest.mark.parametrize("word", ["", "nan", "\\N"])
def test_a_song_without_its_id(word: str, chunk_bytes: int) -> None:
    text = f"track_id,name,artist\n{ID}1,S,Ann\n{word},T,Bo\n{word},T,Bo\n{word},S,Ann\n{word},U,\n"
    report = load(text, chunk_bytes=chunk_bytes)
    assert songs("title", "spotify_id") == [("S", ID + "1"), ("T", None)]
    assert [tuple(reject[:2]) for reject in report.rejects] == [(6, "artists: must not be empty without an ID")]
    again = load(text, chunk_bytes=chunk_bytes)
    assert (again.songs_created, again.songs_updated, again.songs_unchanged) == (0, 0, 2)


@pytest.mark.parametrize(
    "word",
    ["n.a.", "undefined", "#REF!", "<unset>", "missing", "0", "-1", "Unbekannter Interpret", "Artiste inconnu",
     "Artista desconocido", "不明", "UNBEKANNTER INTERPRET"],
)  # fmt: skip
def test_more_words_for_no_artist(word: str) -> None:
    load(f"track_id,track_name,artists,album\n{ID}1,One,{word},(null)\n")
    assert songs("artists", "album") == [([], "")]


@pytest.mark.parametrize(
    ("heading", "text", "expected"),
    [
        ("loudness", "-5.2 dB", -5.2), ("loudness", "\u22125.2", -5.2), ("tempo", "120 BPM", 120.0),
        ("popularity", "45%", 45), ("popularity", ".45", 45), ("key", "C♯/D♭", 1), ("key", "Am", 9), ("key", "H", 11),
        ("key", "Bb minor", 10), ("mode", "Moll", 0), ("mode", "Dur", 1), ("explicit", "E", True),
        ("release_year", "\"June 14, 2019\"", 2019), ("release_year", "14 Jun 2019", 2019),
        ("release_year", "20190614", 2019), ("release_year", "14. Juni 2019", 2019), ("isrc", "0", ""),
        ("preview_url", "No", ""),
    ],
)  # fmt: skip
def test_more_ways_to_write_a_value(heading: str, text: str, expected: object) -> None:
    assert load(f"track_id,track_name,{heading}\n{ID}1,One,{text}\n").rows_rejected == 0
    assert songs(heading) == [(expected,)]


@pytest.mark.parametrize(
    "header",
    ["曲名,アーティスト", "Название,Исполнитель", "Nummer,Artiest", "tra\u200bck_name,\u200bartist", "Tytuł,Wykonawca",
     "My songs of 2024\n\ntitle,artist", "My songs,\ntitle,artist"],
)  # fmt: skip
def test_more_headers(header: str) -> None:
    assert load(f"{header}\nOne,Ann\nTwo,Bo\n").rows_rejected == 0
    assert songs() == [("One", ["Ann"]), ("Two", ["Bo"])]


def test_a_german_number_is_no_title() -> None:
    load("Nummer;Titel;Interpret\n1;One;Ann\n2;Two;Bo\n")
    assert songs() == [("One", ["Ann"]), ("Two", ["Bo"])]


def test_a_column_for_each_artist() -> None:
    report = load("title,artist_1,artist_2,artist_3\nOne,Ann,Bo,\nTwo,Bo,,\nThree,Ann,Ann,Cleo\n")
    assert songs() == [("One", ["Ann", "Bo"]), ("Two", ["Bo"]), ("Three", ["Ann", "Cleo"])]
    assert report.columns.used == (
        ("title", "title"), ("artist_1", "artists"), ("artist_2", "artists"), ("artist_3", "artists"),
    )  # fmt: skip
    assert report.columns.not_used == ()


@pytest.mark.parametrize("lines_before", [0, 100_000])
def test_cyrillic_in_windows_1251(lines_before: int) -> None:
    lines = ["name,artist", *["Song,Ann"] * lines_before, "Кукушка,Виктор Цой", "Hello,Ann"]
    report = import_tracks(source=io.BytesIO("\n".join(lines).encode("cp1251")), name="songs.csv")
    assert ("Кукушка", ["Виктор Цой"]) in songs()
    assert report.columns.notes == ("the text is Windows-1251, not UTF-8",)


@pytest.mark.parametrize("title", ["Don\u2019t", "Caf\xe9", "\xc6\xd8 \xe9t\xe9", "\xc0 la t\xeate"])
def test_accents_are_not_cyrillic(title: str) -> None:
    import_tracks(source=io.BytesIO(f"name,artist\n{title},Ann\n".encode("cp1252")), name="songs.csv")
    assert songs("title") == [(title,)]


def test_a_song_keeps_its_id_in_another_script() -> None:
    load(f"track_id,name,artist\n{ID}1,Koi,Gen Hoshino\n{ID}1,恋,星野源\n{ID}1,Koi,星野源\n{ID}2,Été,Ann\n{ID}2,S,Bo\n")
    assert songs("title", "spotify_id") == [("Koi", ID + "1"), ("Été", ID + "2"), ("S", None)]


@pytest.mark.parametrize("headings", ["Tracks,Artist", "Number of songs,Artist", "Album,Artist,Track number"])
def test_a_number_of_songs_is_no_title(headings: str) -> None:
    with pytest.raises(SourceError, match="no usable columns"):
        load(f"{headings}\n12,Ann,3\n")


# --- files one behind another ----------------------------------------------------------------------------------------
def test_a_header_in_the_middle_is_no_song() -> None:
    text = "track_name,artists,energy\nOne,Ann,.5\nTRACK_NAME,Artists, energy \nTwo,Bo,.6\n"
    report = load(text)
    assert songs() == [("One", ["Ann"]), ("Two", ["Bo"])]
    assert (report.rows_read, report.rows_rejected, report.columns.flaws) == (2, 0, ())
    assert report.columns.notes == ("the header is repeated in line 3, which is no song",)
    assert Artist.objects.count() == 2


def test_headers_with_a_mark_of_their_encoding_and_a_song_that_is_called_so() -> None:
    header = "\ufefftrack_name,artists\n"
    report = load(f"{header}One,Ann\n" + f"{header}Two,Bo\n" * 4 + "track_name,Ann\n")
    assert songs() == [("One", ["Ann"]), ("Two", ["Bo"]), ("track_name", ["Ann"])]
    assert report.columns.notes == ("the header is repeated in lines 3, 5, 7, ..., which are no songs",)


@pytest.mark.parametrize("is_dry_run", [True, False])
@pytest.mark.parametrize("chunk_bytes", [40, 1 << 20])
def test_rows_that_repeat_a_song_are_counted(is_dry_run: bool, chunk_bytes: int) -> None:
    rows = [f"{ID}{song},Song {song},Ann,{genre}\n" for song in range(3) for genre in ("pop", "rock", "folk")]
    text = "track_id,track_name,artists,genre\n" + "".join(rows) + ",,,\n"
    report = load(text, is_dry_run=is_dry_run, chunk_bytes=chunk_bytes)
    assert (report.rows_read, report.songs_created, report.rows_rejected, report.rows_repeated) == (10, 3, 1, 6)


# --- lengths, dates and names in other spellings ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("heading", "texts", "expected", "note"),
    [
        (
            "duration_s",
            ["200000", "215000"],
            [200_000, 215_000],
            "milliseconds, as the values tell, not what the heading says",
        ),
        (
            "duration_min",
            ["200000", "215000"],
            [200_000, 215_000],
            "milliseconds, as the values tell, not what the heading says",
        ),
        ("duration_min", ["200", "215"], [200_000, 215_000], "seconds, as the values tell, not what the heading says"),
        ("duration_s", ["200", "215", "190000"], [200_000, 215_000, 190_000], "190000 and the like are milliseconds"),
        ("duration", ["0.00231", "0.0025"], [199_584, 216_000], "parts of a day, as spreadsheets write times"),
        ("duration_ms", ["0.00231", "0.0025"], [199_584, 216_000], "parts of a day, as spreadsheets write times"),
    ],
)
def test_a_unit_that_cannot_be_the_headings(heading: str, texts: list[str], expected: list[int], note: str) -> None:
    report = load(f"title,artist,{heading}\n" + "".join(f"{text},Ann,{text}\n" for text in texts))
    assert songs("duration_ms") == [(length,) for length in expected]
    assert report.columns.notes == (f"{heading}: {note}",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 days 00:03:20", 200_000), ("0 days 00:03:20.500000", 200_000), ("3'20\"", 200_000), ("3’20”", 200_000),
        ("3′ 20″", 200_000), ("3'20''", 200_000), ("200'000", 200_000), ("3'", 180_000),
    ],
)  # fmt: skip
def test_lengths_in_other_spellings(text: str, expected: int) -> None:
    report = load('title,artist,duration\nOne,Ann,"{}"\n'.format(text.replace('"', '""')))
    assert (songs("duration_ms"), report.columns.flaws) == ([(expected,)], ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5-Mar-99", 1999), ("5-Mar-1999", 1999), ("Mar-99", 1999), ("5 Mar 04", 2004), ("31-12-85", 1985),
        ("12/31/85", 1985), ("85-12-31", 1985), ("3.5.07", 2007), ("14 Jun 2019", 2019), ("June 14, 2019", 2019),
    ],
)  # fmt: skip
def test_dates_in_other_spellings(text: str, expected: int) -> None:
    report = load(f'title,artist,release_date\nOne,Ann,"{text}"\n')
    assert (songs("release_year"), report.columns.flaws) == ([(expected,)], ())


def test_in_a_column_with_the_year_first_it_is_first_in_each_row() -> None:
    report = load("title,artist,release_date\nOne,Ann,04-03-12\nTwo,Ann,85-12-31\n")
    assert songs("release_year") == [(2004,), (1985,)]
    assert report.columns.notes == ("release_date: '04-03-12' is of 2004",)
    assert load("title,artist,release_date\nSix,Ann,04-03-12\n").columns.notes == (
        "release_date: '04-03-12' is of 2012",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{'name': 'Alb'}", "Alb"), ('{"id": "1", "name": "Alb"}', "Alb"), ("['Alb']", "Alb"), ("[Alb]", "[Alb]"),
        ("{Alb}", "{Alb}"),
    ],
)  # fmt: skip
def test_an_album_that_is_an_object(text: str, expected: str) -> None:
    cell = text.replace('"', '""')
    load(f'title,artist,album\n"{cell}",Ann,"{cell}"\n')
    assert songs("title", "album") == [(expected, expected)]


@pytest.mark.parametrize(
    "text",
    [
        '[{"title": "One", "artist": "Ann"}]',
        '{"title": "One"}\n{"title": "Two"}\n',
        '\ufeff[\n  {\n    "a": 1}]',
        "[[1]]",
    ],
)
def test_json_is_no_table(text: str) -> None:
    with pytest.raises(SourceError, match="looks like JSON, which isn't a table of songs"):
        load(text)
