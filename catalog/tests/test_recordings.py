"""What is one recording, and what only looks like it."""

from importlib import import_module
from io import BytesIO

import pytest
from django.apps import apps

from catalog.duplicates.recordings import part_recordings
from catalog.identity.text import base_title, exact_name, fold_name, recording_key, signs_of
from catalog.identity.versions import is_version
from catalog.importing.service import import_tracks
from catalog.models import Artist, Track
from catalog.tests.factories import make_track

ID = "4u7EnebtmKWzUH433cf5"


@pytest.mark.parametrize(
    "part",
    [
        "Live", "live", "Live at Wembley", "Live / 1986", "Live 1978", "Recorded Live at Wembley", "MTV Unplugged",
        "Acoustic", "Acoustic Live", "2011 Remaster", "Remastered 2009", "Mono", "Stereo Mix", "Radio Edit",
        "Original Mix", "Original", "Original Motion Picture Soundtrack", "Original Broadway Cast Recording",
        "Extended",
        "Deluxe Edition", "Club Mix", "1998 Demo", "Demo", "Demo Version", "Taylor's Version", "feat. Bo", "ft. Bo",
        "with Bo", "with The Weeknd", "With Ariana Grande", "Explicit", "Clean", "Beatles Cover", "Slowed + Reverb",
        "Sped Up", "VIP Mix", "Reprise", "Instrumental", "Karaoke", "BBC Session", "Bonus Track", "Live à l'Olympia",
        "Edit", "David Guetta Remix", "Single Edit",
    ],
)  # fmt: skip
def test_these_tell_a_version(part: str) -> None:
    assert is_version(part)
    assert base_title(f"Song ({part})") == base_title(f"Song - {part}") == base_title(f"Song [{part}]") == "Song"


@pytest.mark.parametrize(
    "part",
    [
        "Original Sin", "Live Forever", "Long Live", "The Way We Live", "Live and Let Die", "Live Your Life",
        "With You",
        "With or Without You", "with you", "On the Radio", "Radio Ga Ga", "Clean Slate", "Cover Me", "Take Cover",
        "Stereo Hearts", "Stereo Love", "Explicit Love", "A Deal With God", "Acoustic Guitar", "Dance with the Wolves",
        "Extended Family", "Deluxe Love", "Part 2", "Interlude",
    ],
)  # fmt: skip
def test_these_name_another_song(part: str) -> None:
    assert not is_version(part)
    assert base_title(f"Song ({part})") == f"Song ({part})"
    assert base_title(f"Song - {part}") == f"Song - {part}"


@pytest.mark.parametrize(
    ("name", "other"),
    [("محمـد", "محمد"), ("كـــريم", "كريم"), ("IŞIK", "\u0131ş\u0131k"), ("Iş\u0131n", "IŞIN"), ("MC²", "mc2")],
)  # fmt: skip
def test_ways_of_writing_one_name(name: str, other: str) -> None:
    assert fold_name(name) == fold_name(other)
    assert exact_name(name) == exact_name(other)


@pytest.mark.parametrize(("name", "other"), [("10²", "102"), ("10²", "10"), ("7³", "73"), ("x10₂", "x102")])
def test_raised_figures_are_not_plain_ones(name: str, other: str) -> None:
    assert fold_name(name) != fold_name(other)


def test_signs_that_one_hears() -> None:
    assert [signs_of(title) for title in ("What?", "What!", "What", "¿Qué?", "どこ\uff1f", "Why?!", "a.b")] == [
        "?", "!", "", "?", "?", "?!", "",
    ]  # fmt: skip


def songs_of(*rows: str) -> list[str]:
    content = "\n".join(["track_name,artists", *rows]) + "\n"
    import_tracks(source=BytesIO(content.encode()), name="songs.csv")
    return list(Track.objects.order_by("pk").values_list("title", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "titles",
    [
        ("What?", "What!"),
        ("Go", "Go!"),
        ("Song (Original Sin)", "Song (Live)"),
        ("どこ\uff1f", "どこ\uff01"),
        ("10²", "102"),
    ],
)
def test_two_names_of_one_file_are_two_songs(titles: tuple[str, str]) -> None:
    rows = [f"{title},Ann" for title in titles]
    assert songs_of(*rows) == list(titles)
    # A second import changes nothing, nor does the other order.
    report = import_tracks(
        source=BytesIO("\n".join(["track_name,artists", *reversed(rows)]).encode() + b"\n"), name="songs.csv"
    )
    assert (report.songs_created, report.songs_updated, report.songs_unchanged) == (0, 0, 2)


@pytest.mark.django_db
def test_artists_told_apart_share_no_recording() -> None:
    content = f"track_id,track_name,artists\n{ID}01,Rude,Magic\n{ID}02,Rude,MAGIC!\n{ID}03,Rude - Live,MAGIC!\n"
    import_tracks(source=BytesIO(content.encode()), name="songs.csv")
    assert Artist.objects.count() == 2
    first, second, live = Track.objects.order_by("pk").values_list("recording_key", flat=True)
    assert first != second == live
    report = import_tracks(source=BytesIO(content.encode()), name="songs.csv")
    assert report.is_unchanged
    assert list(Track.objects.order_by("pk").values_list("recording_key", flat=True)) == [first, second, live]


@pytest.mark.django_db
def test_songs_told_by_signs_are_parted_and_their_versions_go_with_them() -> None:
    titles = ["What?", "What!", "What! (Live)", "What? - Remix", "What"]
    for number, title in enumerate(titles):
        make_track(title, "Ann", spotify_id=f"{ID}{number:02}")
    keys = dict(Track.objects.values_list("title", "recording_key"))
    assert keys["What?"] == keys["What? - Remix"] == keys["What"] == recording_key("What", "Ann")
    assert keys["What!"] == keys["What! (Live)"] != keys["What?"]
    assert part_recordings() == 0


@pytest.mark.django_db
def test_keys_are_worked_out_anew_and_go_back(capsys: pytest.CaptureFixture[str]) -> None:
    migration = import_module("catalog.migrations.0009_recording_keys")
    titles = ["Baby (Original Sin)", "Baby (Live)", "What?", "What!", "10²", "102", "Plain"]
    for number, title in enumerate(titles):
        make_track(title, "محمـد" if title == "Plain" else "Ann", spotify_id=f"{ID}{number:02}")
    migration.restore(apps, None)
    before = dict(Track.objects.values_list("title", "recording_key"))
    artists = dict(Artist.objects.values_list("name", "key"))
    assert before["Baby (Original Sin)"] == before["Baby (Live)"]
    assert before["What?"] == before["What!"]
    assert before["10²"] == before["102"]
    migration.renew(apps, None)
    after = dict(Track.objects.values_list("title", "recording_key"))
    assert len(set(after.values())) == len(titles)
    assert after["Plain"] == recording_key("Plain", "محمد") != before["Plain"]
    assert "3 songs were taken for versions of others" in capsys.readouterr().out
    migration.renew(apps, None)
    assert dict(Track.objects.values_list("title", "recording_key")) == after
    migration.restore(apps, None)
    assert dict(Track.objects.values_list("title", "recording_key")) == before
    assert dict(Artist.objects.values_list("name", "key")) == artists
