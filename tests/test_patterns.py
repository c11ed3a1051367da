"""Every pattern that meets foreign text takes a time that grows with the text and no faster.

A pattern that looks at a text again from each of its letters needs minutes for what one request may carry. The units
that texts are made of here come from the pattern itself: what each of its parts matches, alone and in pairs.
"""

import ast
import importlib
import re
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from django.conf import settings

APPS = ("accounts", "catalog", "feedback", "jobs", "recommender", "spotify_rec")
# Patterns of the operator's own commands, which meet no text of a stranger's.
PASSED_OVER = ("spotify_rec.management.commands.", "accounts.spotify.sandbox.")
SHORT, LONG = 8_000, 100_000
SHORT_SECONDS, LONG_SECONDS = 0.03, 1.0
FROM_THE_START = {"match", "fullmatch"}
ANYWHERE = {"search", "sub", "subn", "split", "finditer", "findall"}
_SAMPLES = {
    codes.CATEGORY_DIGIT: "1", codes.CATEGORY_SPACE: " ", codes.CATEGORY_WORD: "a",
    codes.CATEGORY_NOT_DIGIT: "a", codes.CATEGORY_NOT_SPACE: "a", codes.CATEGORY_NOT_WORD: "!",
}  # fmt: skip


def modules() -> Iterator[tuple[str, ast.Module]]:
    for app in APPS:
        for path in sorted((Path(settings.BASE_DIR) / app).rglob("*.py")):
            name = ".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts)
            parts = set(name.split("."))
            if not parts & {"tests", "migrations", "__main__", "wsgi", "management"} and not name.startswith(
                PASSED_OVER
            ):
                source = path.read_text()
                if "re." in source:
                    yield name.removesuffix(".__init__"), ast.parse(source)


def nested(value: Any, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 3 and isinstance(value, (tuple, list)):
        for inner in value:
            yield from nested(inner, depth + 1)
    elif depth < 3 and isinstance(value, dict):
        for inner in value.values():
            yield from nested(inner, depth + 1)


def patterns() -> dict[str, tuple[re.Pattern[Any], set[str]]]:
    """Return each pattern by its module and name, and the methods by which it is tried (all, where unknown)."""
    known: dict[str, tuple[re.Pattern[Any], set[str]]] = {}
    for module, tree in modules():
        methods: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                methods.setdefault(node.value.id, set()).add(node.attr)
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr != "compile"
                and isinstance(node.args[0], ast.Constant)
            ):
                known[f"{module}:{node.lineno}"] = (re.compile(node.args[0].value), {node.func.attr})
        for name, value in vars(importlib.import_module(module)).items():
            for number, pattern in enumerate(nested(value)):
                uses = methods.get(name, set()) & (FROM_THE_START | ANYWHERE)
                known[f"{module}.{name}.{number}"] = (pattern, uses or FROM_THE_START | ANYWHERE)
    return known


def units(pattern: re.Pattern[Any]) -> set[str]:
    """Return short texts that parts of the pattern match."""
    texts = {" ", "a", "1", "\n", "(", "-", "a@", ": "}

    def sample(items: Any) -> str:
        text = ""
        for code, value in items:
            if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
                part = sample(value[2])
                texts.add(part)
                text += part * max(1, value[0])
            elif code is codes.SUBPATTERN:
                text += sample(value[3])
            elif code is codes.ATOMIC_GROUP:
                text += sample(value)
            elif code is codes.BRANCH:
                text += next(sample(branch) for branch in value[1])
            elif code in (codes.ASSERT, codes.ASSERT_NOT):
                texts.add(sample(value[1]))
            else:
                text += sample_of_letter(code, value)
            texts.add(text)
        return text

    sample(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else 0))
    return {text[-12:] for text in texts if text} | {text[:12] for text in texts if text}


def sample_of_letter(code: Any, value: Any) -> str:
    if code is codes.LITERAL:
        return chr(value)
    if code is codes.IN:
        return sample_of_set(value)
    return "x" if code in (codes.ANY, codes.NOT_LITERAL) else ""


def sample_of_set(items: Any) -> str:
    if items[0][0] is codes.NEGATE:
        return "x"
    code, value = items[0]
    return chr(value) if code is codes.LITERAL else chr(value[0]) if code is codes.RANGE else _SAMPLES[value]


def seconds(pattern: re.Pattern[Any], text: str, uses: set[str]) -> float:
    subject: Any = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    start = time.process_time()
    if "match" in uses:
        pattern.match(subject)
    if "fullmatch" in uses:
        pattern.fullmatch(subject)
    if uses & ANYWHERE:
        for _match in pattern.finditer(subject):
            pass
    return time.process_time() - start


@cache
def all_patterns() -> dict[str, tuple[re.Pattern[Any], set[str]]]:
    return patterns()


def texts_for(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str]]:
    parts = sorted(units(pattern))
    for unit in {*parts, *(first + second for first in parts[:12] for second in parts[:12])}:
        for end in ("", "\x00", "a"):
            yield unit, end


@pytest.mark.parametrize("name", sorted(all_patterns()))
def test_a_pattern_is_linear(name: str) -> None:
    pattern, uses = all_patterns()[name]
    worst, worst_text = 0.0, ("a", "")
    for unit, end in texts_for(pattern):
        text = (unit * SHORT)[:SHORT] + end
        # Beside other work, the processor's own time is short at least once.
        took = seconds(pattern, text, uses)
        if took > SHORT_SECONDS:
            took = min(seconds(pattern, text, uses) for _try in range(3))
        assert took < SHORT_SECONDS, f"{pattern.pattern!r} takes {took * 1000:.0f} ms for {SHORT} times {unit!r}"
        if took > worst:
            worst, worst_text = took, (unit, end)
    unit, end = worst_text
    assert seconds(pattern, (unit * LONG)[:LONG] + end, uses) < LONG_SECONDS


def test_the_patterns_are_all_there() -> None:
    names = set(all_patterns())

    assert len(names) > 60
    assert {"spotify_rec.logs._BLACKENED.0", "catalog.identity.text._BRACKETS.0"} <= names
    assert "catalog.importing.reading.values._UNITS.1" in names


@pytest.mark.parametrize("old", [r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", r"\s*\([0-9]{4}\)$", r"(?:[0-9]+\.?[0-9]*|x)"])
def test_a_quadratic_pattern_would_be_seen(old: str) -> None:
    pattern = re.compile(old)

    assert any(
        seconds(pattern, (unit * SHORT)[:SHORT] + end, {"search", "fullmatch"}) > SHORT_SECONDS
        for unit, end in texts_for(pattern)
    )
