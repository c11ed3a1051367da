"""The position of the next page in a Spotify list, which may grow and shrink meanwhile."""

from dataclasses import asdict, dataclass
from typing import Any

from accounts.spotify.web_api.parsing import Page


@dataclass(frozen=True)
class Position:
    """A place in a list that is read page by page.

    ``next``: the offset (or cursor) of the next page, ``None`` at the end. ``total``: the length of the list, as the
    last page says. ``grown``: how many entries were added meanwhile. New ones stand at the top of one's library, so the
    first pages are read once more after the end; ``end``: up to that entry.
    """

    next: str | None = "0"
    total: int | None = None
    grown: int = 0
    end: int | None = None

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> "Position":
        """Return the position that ``stored`` holds; the beginning where there is none."""
        return cls(**stored) if stored else cls()

    def stored(self) -> dict[str, Any] | None:
        """Return the position as JSON; ``None`` at the end."""
        return None if self.next is None else asdict(self)

    def removed(self, page: Page[Any]) -> int:
        """Return how many entries went from the list since the page before. Those behind them moved up by as many."""
        if self.total is None or page.total is None or page.offset == 0:
            return 0
        return max(0, self.total - page.total)

    def before(self, page: Page[Any]) -> "Position":
        """Return where to read instead of ``page``, so that nothing is passed over that moved up."""
        return Position(str(max(0, page.offset - self.removed(page))), page.total, self.grown, self.end)

    def behind(self, page: Page[Any]) -> "Position":
        """Return the position behind ``page``."""
        added = 0 if self.total is None or page.total is None else max(0, page.total - self.total)
        grown = self.grown + added
        if self.end is not None:
            is_over = page.offset + page.rows >= self.end
            return Position(None if is_over else page.next, page.total, 0, self.end)
        if page.next is None and grown:
            return Position("0", page.total, 0, grown)
        return Position(page.next, page.total, grown)
