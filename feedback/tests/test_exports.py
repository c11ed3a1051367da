"""Cells and lines of CSV files."""

import pytest

from accounts.personal_data.csv_cells import safe_cell
from feedback.web.exports import csv_lines


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Song", "1 = 1", "", -5, None])
def test_other_cells_stay(value: object) -> None:
    assert safe_cell(value) == value


def test_cells_are_quoted_and_lines_end_as_the_format_says() -> None:
    assert list(csv_lines(["a", "b"], [['say "hi"', "x,y"], [None, 1]])) == [
        "a,b\r\n",
        '"say ""hi""","x,y"\r\n',
        ",1\r\n",
    ]
