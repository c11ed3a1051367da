"""Folding of names and what counts as the same recording."""

import pytest

from catalog.identity.text import artist_key, fold, recording_key


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Don't Stop", "dont stop"),
        ("Don\u2019t", "dont"),
        ("L'amour", "l amour"),
        ("Rock 'n' Roll", "rock n roll"),
        ("Beyonc\u00e9", "beyonce"),
        ("M\u00f8 / \u0141\u00f3d\u017a", "mo lodz"),
        ("AC/DC", "ac dc"),
        ("Stra\u00dfe", "strasse"),
        ("!!!", "!!!"),
        ("  a_b  ", "a b"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    "version",
    ["Ghost - Acoustic", "Ghost (Live at Wembley)", "Ghost - 2011 Remaster", "ghost (feat. Somebody)", "Ghost [Remix]"],
)
def test_versions_of_a_song_share_their_key(version: str) -> None:
    assert recording_key(version, "Ben") == recording_key("Ghost", "Ben")


@pytest.mark.parametrize("other", ["Ghost - Part 2", "Ghost (The Kiss)", "Ghosts"])
def test_other_songs_do_not(other: str) -> None:
    assert recording_key(other, "Ben") != recording_key("Ghost", "Ben")


def test_another_artist_is_another_song() -> None:
    assert recording_key("Ghost", "Ben") != recording_key("Ghost", "Ella")


def test_artists_are_told_by_their_folded_name() -> None:
    assert artist_key("Beyonc\u00e9") == artist_key("BEYONCE")
    assert artist_key("!!!") != artist_key("???")
