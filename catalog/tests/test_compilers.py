"""Which names stand for no artist at all."""

import pytest

from catalog.identity.compilers import is_compiler


@pytest.mark.parametrize(
    "name",
    [
        "Various Artists",
        "VARIOUS ARTISTS",
        "various  artists",
        "Various Artists (compilation)",
        "Various",
        "V.A.",
        "V/A",
        "VA",
        "Diverse Interpreten",
        "Verschiedene Interpreten",
        "Artistes divers",
        "Varios artistas",
        "Vários Artistas",
        "VARIOS ARTISTAS",
        "Artisti vari",
        "AA.VV.",
        "Разные исполнители",
        "群星",
        "Interpreten diverse",
        "Diverse",
        "VVAA",
        "V.V.A.A.",
        "Various Artist(s)",
        "Various Artists - Topic",
        "Artisti Vari (2020)",
        "Various Composers",
        "ศิลปินต่างๆ",
        "さまざまなアーティスト",
        "Sampler",
        "Olika artister",
        "Multiple Artists",
        "अनेक कलाकार",
        "多位艺人",
        "Несколько исполнителей",
    ],
)
def test_several_artists_are_no_artist(name: str) -> None:
    assert is_compiler(name)


@pytest.mark.parametrize(
    "name",
    [
        "Vaya Con Dios",
        "Various Cruelties",
        "Radiohead",
        "A.V.",
        "Diversion",
        "",
        "群星乐队",
        "Sampler Band",
        "Ann (2020)",
    ],
)
def test_whoever_has_a_name_is_an_artist(name: str) -> None:
    assert not is_compiler(name)
