"""A sample of a file's rows, column by column."""

from collections.abc import Callable, Sequence

from catalog.importing.reading.numbers import is_no_value, to_number

Rows = Sequence[Sequence[str]]


class Sample:
    """Some rows of a file, column by column, and what was decided of them.

    texts: of each column; notes: sentences for the import's report; commas: the columns with a decimal comma.
    """

    def __init__(self, headings: Sequence[str], rows: Rows) -> None:
        self.headings = headings
        width = len(headings)
        self.texts = [[row[column].strip() for row in rows if len(row) > column] for column in range(width)]
        self.notes: list[str] = []
        self.commas: set[int] = set()

    def filled(self, column: int) -> float:
        """Return the share of the texts that say something."""
        return self.share(column, lambda text: not is_no_value(text), of_all=True)

    def share(self, column: int, holds: Callable[[str], bool], *, of_all: bool = False) -> float:
        """Return the share of the texts for which ``holds``, by default of those that say something."""
        texts = self.texts[column] if of_all else [text for text in self.texts[column] if not is_no_value(text)]
        return sum(map(holds, texts)) / len(texts) if texts else 0.0

    def decimal(self, column: int) -> str:
        """Return the sign before decimals."""
        return "," if column in self.commas else "."

    def numbers(self, column: int) -> list[float]:
        """Return the texts that are numbers, as such."""
        decimal = self.decimal(column)
        numbers = [to_number(text.removesuffix("%"), decimal) for text in self.texts[column]]
        return [number for number in numbers if number is not None]

    def note(self, text: str, *, used: int, **values: object) -> None:
        """Note a sentence about the column ``used``; ``other`` names another column."""
        shown_values = {
            name: self.headings[value] if name == "other" and isinstance(value, int) else value
            for name, value in values.items()
        }
        self.notes.append(text % {"used": self.headings[used], **shown_values})
