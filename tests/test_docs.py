"""The pages of documentation: links lead somewhere, files that are named exist, nothing is left out of a list."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.conf import settings

from recommender.engine import TERMS

ROOT = Path(settings.BASE_DIR)
ENGINE = ROOT / "recommender" / "engine"
PAGES = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "benchmarks" / "results").glob("*.md"),
        *(ROOT / "tests").glob("*.md"),
        *ROOT.glob("*.md"),
    ]
)
FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """Return the text of a page without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them of headings that are not repeated."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_link_to_a_missing_page_or_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](#one-two) [b](#two) [c](none.md) [d](page.md#one-two) [e](https://example.org/)\n")

    assert list(broken_links(page)) == ["#two", "none.md"]


def test_the_index_lists_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(prose(index))}

    assert set(PAGES) - linked - {index, ROOT / "README.md"} == set()


def test_the_page_of_the_engine_names_files_that_exist() -> None:
    text = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w/])[a-z_]+(?:/[a-z_]+)*(?:\.py\b|/(?=`))", text))

    assert len(named) >= 40
    assert [name for name in sorted(named) if not (ENGINE / name).exists() and not (ROOT / name).exists()] == []


def test_the_page_of_the_engine_lists_every_term() -> None:
    text = prose(ROOT / "docs" / "engine.md")
    table = text.partition("| term | file |")[2].partition("\n\n")[0]

    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(TERMS)
