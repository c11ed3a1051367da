"""Names say what a thing is: these bare ones name no variable, parameter or field, in tests neither."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parent.parent
_FOLDERS = ("accounts", "benchmarks", "catalog", "data", "feedback", "jobs", "recommender", "spotify_rec", "tests")
_SAY_NOTHING = frozenset({"asked", "found", "given", "kept", "one", "place", "said", "told"})


def _bindings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Return each line of ``tree`` that binds a name: a variable, parameter, field, import or caught error."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name


def _offenders(source: str, name: str) -> list[str]:
    return [f"{name}:{line}: {bound}" for line, bound in sorted(_bindings(ast.parse(source))) if bound in _SAY_NOTHING]


@pytest.mark.parametrize("folder", _FOLDERS)
def test_no_bare_name_stands_for_a_thing(folder: str) -> None:
    modules = [path for path in sorted((_ROOT / folder).rglob("*.py")) if "migrations" not in path.parts]
    assert modules
    offenders = [line for path in modules for line in _offenders(path.read_text("utf-8"), str(path.relative_to(_ROOT)))]
    assert not offenders, "\n".join(offenders)


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "def read(place): ...",
        "def read(*, kept=None): ...",
        "class Row:\n    asked: int",
        "for one in (): ...",
        "rows = [given for given in ()]",
        "if (said := 1): ...",
        "class Row:\n    def __init__(self):\n        self.told = 1",
        "import json as found",
        "try: ...\nexcept ValueError as one: ...",
        "lambda one: 1",
    ],
)
def test_the_check_sees_every_kind_of_binding(source: str) -> None:
    (offender,) = _offenders(source, "module.py")
    assert offender.startswith("module.py:")
    assert offender.rsplit(": ", 1)[1] in _SAY_NOTHING


@pytest.mark.parametrize("source", ["rows_found = 1", "print(found)", "text = 'found'", "row.found()"])
def test_reading_a_name_or_a_longer_one_is_fine(source: str) -> None:
    assert _offenders(source, "module.py") == []
