"""Small files in the shapes that other tools and people's spreadsheets write, imported as a new user would."""

import pytest

from benchmarks.imports.import_inputs import OWN_INPUTS, as_line, tried

pytestmark = pytest.mark.django_db
KINDS = ["h0", *(f"h1{number}" for number in range(10)), "h2", "h3", "h4", "c0", "c1", "c2", "c3", "c4"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_of_each_input_is_what_the_table_says(kind: str) -> None:
    lines = (OWN_INPUTS / "README.md").read_text(encoding="utf-8").split("\n")
    expected = [line for line in lines if line.startswith(f"| {kind}")]
    assert [as_line(*row) for row in tried(OWN_INPUTS, kind)] == expected
    assert expected
