"""The names of regions follow the language."""

from importlib.resources import files

import pytest
from django.test import Client
from django.utils.translation import override

from accounts.regions import region_choices, region_in_sentence


def test_every_region_of_iso_3166_has_a_name_in_each_language() -> None:
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    codes = {line[:2] for line in table.splitlines() if not line.startswith("#")}
    for language in ("en", "de"):
        with override(language):
            assert {code for code, name in region_choices() if name.strip()} == codes


@pytest.mark.parametrize(
    ("language", "code", "sentence"),
    [
        ("en", "US", "the United States"),
        ("en", "SE", "Sweden"),
        ("en", "NL", "the Netherlands"),
        ("en", "CZ", "Czechia"),
        ("en", "TD", "Chad"),
        ("en", "XX", ""),
        ("de", "US", "USA"),
        ("de", "CH", "Schweiz"),
        ("fr", "CH", "Switzerland"),
    ],
)
def test_names_in_sentences(language: str, code: str, sentence: str) -> None:
    with override(language):
        assert region_in_sentence(code) == sentence


def test_accents_do_not_come_after_z() -> None:
    with override("de"):
        names = [name for _code, name in region_choices()]
    assert names.index("Ägypten") < names.index("Albanien")
    assert names[-1] == "Zypern"


@pytest.mark.django_db
def test_the_sign_up_page_names_regions_in_its_language(client: Client) -> None:
    assert "Schweden" in client.get("/accounts/signup/", headers={"Accept-Language": "de"}).content.decode()
    assert "Sweden" in client.get("/accounts/signup/", headers={"Accept-Language": "en"}).content.decode()
