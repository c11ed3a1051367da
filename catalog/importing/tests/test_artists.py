"""Telling artists apart in one field."""

import pytest

from catalog.importing.reading.artists import ArtistSplitter

GUESTS = [f"Host {number}, Guest {number}" for number in range(20)]
KNOWN = [name for field in GUESTS for name in field.split(", ")]


def split(text: str, *others: str, is_plural: bool = True) -> tuple[str, ...]:
    splitter = ArtistSplitter(is_plural=is_plural)
    splitter.learn([text, *others])
    return splitter(text)


def test_semicolons_always_part() -> None:
    assert split("Frank Ocean;JAY-Z; Tyler, The Creator;") == ("Frank Ocean", "JAY-Z", "Tyler, The Creator")


@pytest.mark.parametrize("text", ["['Ann', \"Bob's Band\"]", '["Ann", "Bob\'s Band"]', "['Ann', 'Bob\\'s Band']"])
def test_lists_say_what_they_hold(text: str) -> None:
    assert split(text) == ("Ann", "Bob's Band")


def test_brackets_are_not_always_a_list() -> None:
    assert split("[bsd.u]") == ("[bsd.u]",)
    assert split("[:SITD:];Dennis Schober") == ("[:SITD:]", "Dennis Schober")


def test_no_artist() -> None:
    assert split("") == ()
    assert split("[]") == ()


def test_feet_are_no_guest() -> None:
    assert split("MC 900 Ft. Jesus") == ("MC 900 Ft. Jesus",)
    assert split("Sum 41 ft. Ann") == ("Sum 41", "Ann")


def test_a_name_comes_once() -> None:
    assert split("Ann;Bob;Ann") == ("Ann", "Bob")


def test_a_name_shown_whole_elsewhere_stays_whole() -> None:
    text = "Earth, Wind & Fire"
    assert split(text, "Earth, Wind & Fire;The Emotions", "Earth", "Wind & Fire") == (text,)


def test_parts_that_stand_alone_are_artists() -> None:
    assert split("Wietske,Uwe", "Uwe", "Wietske;Ann", is_plural=False) == ("Wietske", "Uwe")


def test_without_evidence_the_heading_decides() -> None:
    assert split("Ann, Bob") == ("Ann", "Bob")
    assert split("Ann, Bob", is_plural=False) == ("Ann, Bob",)
    assert split("Ann, Bob", "Cleo;Dan") == ("Ann, Bob",)


def test_a_file_that_parts_by_commas_does_so_also_between_unknown_names() -> None:
    assert split("Sheath, Fred Paci", "a;b", *GUESTS, *KNOWN) == ("Sheath", "Fred Paci")


def test_a_file_whose_commas_belong_to_names_keeps_them() -> None:
    assert split("Sheath, Fred Paci", *GUESTS) == ("Sheath, Fred Paci",)


@pytest.mark.parametrize(
    "text",
    ["Hank Williams, Jr.", "Crosby, Stills, Nash & Young", "Peter, Paul and Mary", "Time, The Valuator", "oh,sleeper"],
)
def test_what_reads_like_a_name_stays_whole(text: str) -> None:
    assert split(text, "a;b", *GUESTS, *KNOWN) == (text,)


def test_a_field_that_credits_four_songs_is_a_band() -> None:
    assert split("Oh, Sleeper", *GUESTS, *KNOWN, *["Oh, Sleeper"] * 2) == ("Oh", "Sleeper")
    assert split("Oh, Sleeper", *GUESTS, *KNOWN, *["Oh, Sleeper"] * 3) == ("Oh, Sleeper",)


def test_a_band_with_the_may_follow_a_known_artist() -> None:
    assert split("Ann, The Knocks", "Ann", *GUESTS, *KNOWN) == ("Ann", "The Knocks")


@pytest.mark.parametrize("sign", [" / ", "\u3001", "\uff0c", "\uff1b", "\u060c", " \u00b7 ", "\uff5c", "\\\\", "\n"])
def test_other_signs_part_artists_who_also_stand_alone(sign: str) -> None:
    text = f"Lena Voss{sign}Jo Kern"
    assert split(text, "Lena Voss", "Jo Kern") == ("Lena Voss", "Jo Kern")
    assert len(split(text, "Lena Voss")) == 1


def test_a_rare_pipe_parts_artists_who_also_stand_alone() -> None:
    splitter = ArtistSplitter(pipes_part=False)
    splitter.learn(["Ann1|Ann2", "M|O|O|N", "Ann1", "Ann2"])
    assert splitter("Ann1|Ann2") == ("Ann1", "Ann2")
    assert splitter("M|O|O|N") == ("M|O|O|N",)


def test_full_names_parted_by_a_bare_comma_under_a_heading_in_the_plural() -> None:
    assert split("Lena Voss,Jo Kern") == ("Lena Voss", "Jo Kern")
    assert split("Lena Voss,Jo Kern", is_plural=False) == ("Lena Voss,Jo Kern",)
    assert split("nothing,nowhere.") == ("nothing,nowhere.",)


def test_a_comma_behind_a_backslash_belongs_to_its_name() -> None:
    assert split("Earth\\, Wind & Fire") == ("Earth, Wind & Fire",)
    assert split("Tyler\\, The Creator, Kylie") == ("Tyler, The Creator", "Kylie")
    # In a file that writes names so, all other commas part.
    assert split("Hank, Jr.", "Tyler\\, The Creator") == ("Hank", "Jr.")
    assert split("Oh\\, Sleeper;Kylie") == ("Oh, Sleeper", "Kylie")


@pytest.mark.parametrize(
    ("text", "whole", "parts"),
    [
        ("Tyler, The Creator, Frank Ocean", "Tyler, The Creator", ("Tyler, The Creator", "Frank Ocean")),
        ("Earth, Wind & Fire, Kylie", "Earth, Wind & Fire", ("Earth, Wind & Fire", "Kylie")),
        ("Kylie, Earth, Wind & Fire", "Earth, Wind & Fire", ("Kylie", "Earth, Wind & Fire")),
        ("Ana, Tyler, The Creator, Bo", "Tyler, The Creator", ("Ana", "Tyler, The Creator", "Bo")),
        ("oh,sleeper, Kylie", "oh,sleeper", ("oh,sleeper", "Kylie")),
        ("Crosby, Stills, Nash & Young", "Ana, Bo", ("Crosby, Stills, Nash & Young",)),
    ],
)
def test_a_name_that_the_file_shows_whole_is_one_within_lists(text: str, whole: str, parts: tuple[str, ...]) -> None:
    assert split(text, whole) == parts


@pytest.mark.parametrize(
    ("text", "number", "parts"),
    [
        ("Tyler, The Creator,Z", 2, ("Tyler, The Creator", "Z")),
        ("Z, Tyler, The Creator", 2, ("Z", "Tyler, The Creator")),
        ("Oh, Sleeper", 1, ("Oh, Sleeper",)),
        ("Ana, The Knocks", 2, ("Ana", "The Knocks")),
        ("Ana, Bo", 3, ("Ana", "Bo")),
        ("Ana, Emerson, Lake & Palmer, Bo", 3, ("Ana", "Emerson, Lake & Palmer", "Bo")),
    ],
)
def test_as_many_artists_as_the_file_has_ids_of(text: str, number: int, parts: tuple[str, ...]) -> None:
    splitter = ArtistSplitter()
    splitter.learn_counts([text], [number])
    splitter.learn([text])
    assert splitter(text) == parts


def test_a_name_with_a_comma_within_a_list_shows_that_commas_part_there() -> None:
    assert split("Bo, Oh, Sleeper", "Oh, Sleeper;Ann", *GUESTS) == ("Bo", "Oh, Sleeper")
    assert split("Tyler, The Creator, Bo", "Tyler, The Creator", "a;b") == ("Tyler, The Creator", "Bo")
    assert split("Earth, Wind & Fire, Kylie", "Earth, Wind & Fire", is_plural=False) == ("Earth, Wind & Fire", "Kylie")
    assert split("Sheath, Fred, Paci", "Sheath, Fred", "a;b", *GUESTS) == ("Sheath, Fred, Paci",)
