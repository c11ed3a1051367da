"""Regions a listener can be in: ISO 3166-1 alpha-2 codes, with names in the languages of the site."""

import csv
import re
import unicodedata
from functools import cache
from pathlib import Path

from django.utils.translation import get_language

from accounts.fast.html import cached_per_language

# From Unicode's CLDR 48, a few names shortened. A language that is not there reads English.
_NAMES = Path(__file__).with_name("regions.tsv")
# English names that have an article within a sentence.
_WITH_ARTICLE = re.compile(r"(.* )?(States|Kingdom|Emirates|Islands|Republic|Republic of .*|Territor(y|ies)|Congo)$")
_OTHERS_WITH_ARTICLE = {"BQ", "BS", "GM", "IM", "KM", "MV", "NL", "PH", "SC", "VA"}


@cache
def _names() -> dict[str, dict[str, str]]:
    """Return for each language the names by code."""
    with _NAMES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {language: {row["code"]: row[language] for row in rows} for language in rows[0] if language != "code"}


def _language() -> str:
    language = (get_language() or "en").partition("-")[0]
    return language if language in _names() else "en"


@cached_per_language
def _choices() -> list[tuple[str, str]]:
    return sorted(_names()[_language()].items(), key=lambda row: _without_accents(row[1]))


def _without_accents(name: str) -> str:
    signs = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sign for sign in signs if not unicodedata.combining(sign))


def region_choices() -> list[tuple[str, str]]:
    """Return ``(code, name)`` for every ISO 3166-1 country in the active language, ordered by name."""
    return list(_choices())


def region_in_sentence(code: str) -> str:
    """Return the name of a region after "in", "" for a code that is none: in English, some have an article."""
    name = _names()[_language()].get(code, "")
    has_article = code in _OTHERS_WITH_ARTICLE or _WITH_ARTICLE.match(name)
    return f"the {name}" if _language() == "en" and has_article else name
