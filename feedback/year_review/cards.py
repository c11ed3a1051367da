"""The cards of a year: what is written and drawn on each, fitted to the size of the picture."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Track
from feedback.statistics.selectors import Heard
from feedback.statistics.texts import hour_text, name_of
from feedback.year_review.selectors import YearReview

# Of the picture; a card's template draws within them.
WIDTH, HEIGHT = 1080, 1350
MARGIN = 90
_ROWS = 5
# As wide as letters get in the widest of common fonts.
_ROW_LETTERS, _NOTE_LETTERS = 22, 33
# Where the first row stands, and how far the next is from it: below a headline, without one, below a long one.
_BELOW_HEADLINE, _ALONE, _AT_THE_BOTTOM = (790, 125), (400, 170), (1020, 110)
_COLUMNS_TOP, _COLUMNS_BOTTOM = 740, 1120
# Sizes of a headline in pixels, with how many lines of how many letters it may have: the largest that fits is taken.
_HEADLINES = ((230, 1, 5), (140, 2, 9), (112, 3, 11), (84, 4, 15))
# Pairs of colours of the background, from dark to less dark: white text stands out from both.
_COLOURS = (("#2b1470", "#5a28cf"), ("#0b3d5c", "#0f6a8b"), ("#5c1033", "#a31f5f"), ("#123f2a", "#1f6e48"))
_FEW_DAYS = 2


@dataclass(frozen=True)
class Row:
    """A line of a list; ``bar`` is the width of the bar below it in pixels, None where there is none."""

    label: str
    value: str
    y: int
    bar: int | None = None


@dataclass(frozen=True)
class Column:
    """A standing bar, in pixels, with what is written below it."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    mark: str


@dataclass
class Card:
    """One picture. ``headline`` is broken into ``lines`` (height of each, text) of ``size`` pixels."""

    title: str
    headline: str
    note: str = ""
    rows: list[Row] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    number: int = 0
    of: int = 0
    year: int = 0

    @property
    def colours(self) -> tuple[str, str]:
        """Return the two colours of the background."""
        return _COLOURS[self.number % len(_COLOURS)]

    @property
    def size(self) -> int:
        """Return the headline's letters' size."""
        return self._fit[0]

    @property
    def lines(self) -> list[tuple[int, str]]:
        """Return the headline's lines and where they stand."""
        size, lines = self._fit
        return [(310 + round(size * (0.75 + 1.12 * number)), line) for number, line in enumerate(lines)]

    @property
    def note_y(self) -> int:
        """Return where the note stands: below the headline."""
        return (self.lines[-1][0] if self.lines else 310) + 80

    @property
    def text(self) -> str:
        """Return in words what the picture shows."""
        rows = "; ".join(f"{row.label}: {row.value}" for row in self.rows)
        return ". ".join(part for part in (self.title, self.headline, self.note, rows) if part)

    @cached_property
    def _fit(self) -> tuple[int, list[str]]:
        for size, most, letters in _HEADLINES:
            lines = wrap(self.headline, letters, most + 1)
            if len(lines) <= most and " ".join(lines) == self.headline:
                return size, lines
        size, most, letters = _HEADLINES[-1]
        return size, wrap(self.headline, letters, most)


def wrap(text: str, letters: int, most: int) -> list[str]:
    """Break ``text`` into at most ``most`` lines of about ``letters`` letters; what does not fit ends with "…"."""
    lines, line = [], ""
    for word in _short_words(text, letters):
        if line and _width(f"{line} {word}") > letters:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    lines += [line] if line else []
    if len(lines) > most:
        lines = [*lines[: most - 1], cut(" ".join(lines[most - 1 :]), letters)]
    return lines


def cut(text: str, letters: int) -> str:
    """Return ``text``, shortened with "…" to about ``letters`` letters."""
    if _width(text) <= letters:
        return text
    while text and _width(text) > letters - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def _short_words(text: str, letters: int) -> list[str]:
    """Return the words; those longer than a line in pieces, as in languages that write no spaces."""
    pieces = []
    for word in text.split():
        rest = word
        while rest:
            piece = rest
            while len(piece) > 1 and _width(piece) > letters:
                piece = piece[:-1]
            pieces.append(piece)
            rest = rest[len(piece) :]
    return pieces


def _width(text: str) -> int:
    """Return the width in letters: Chinese, Japanese and Korean ones are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def cards_of(review: YearReview) -> list[Card]:
    """Return the cards; none for a year without plays, and none that would have nothing on it."""
    if not review.statistics.plays:
        return []
    drawn = (
        _opening(review), _time(review), *_top(review, _("Song of the year"), _("My top songs"), "songs"),
        *_top(review, _("Artist of the year"), _("My top artists"), "artists"), _genres(review), _months(review),
        _hours(review), _new_artists(review),
    )  # fmt: skip
    cards = [card for card in drawn if card is not None]
    for number, card in enumerate(cards, start=1):
        card.number, card.of, card.year = number, len(cards), review.year
    return cards


def _opening(review: YearReview) -> Card:
    figures = review.statistics
    title = _("My %(year)d in music") if review.is_over else _("My %(year)d in music, so far")
    rows = [(_("Songs"), figures.songs), (_("Artists"), figures.artists), (_("Days with music"), len(figures.days))]
    rows += [(_("Days in a row"), review.longest_streak)]
    return Card(
        title % {"year": review.year}, _plays(figures.plays), rows=_plain_rows([(a, intcomma(b)) for a, b in rows])
    )


def _time(review: YearReview) -> Card | None:
    minutes = round(review.statistics.milliseconds / 60_000)
    if not minutes:
        return None
    headline = ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": intcomma(minutes)}
    days, a_day = minutes // (24 * 60), round(minutes / len(review.statistics.days))
    rows = [(_("Minutes a day with music"), intcomma(a_day))]
    rows += [(_("Whole days"), intcomma(days))] if days >= _FEW_DAYS else []
    return Card(_("Time with music"), headline, rows=_plain_rows(rows))


def _top(review: YearReview, first: str, all_: str, name: str) -> tuple[Card | None, Card | None]:
    """Return the card of the first and that of the first five; no list where there is no second."""
    top: Sequence[Heard] = getattr(review.statistics, f"top_{name}")
    if not top:
        return None, None
    best = top[0]
    artists = best.thing.artist_names if isinstance(best.thing, Track) else ""
    note = f"{artists} · {_plays(best.plays)}" if artists else _plays(best.plays)
    ranked = Card(all_, "", rows=_ranked_rows([(name_of(row.thing), row.plays) for row in top[:_ROWS]]))
    zone = timezone.get_current_timezone()
    ends = [(_("First play"), best.first), (_("Last play"), best.last)]
    rows = [(label, date_format(moment.astimezone(zone), "MONTH_DAY_FORMAT")) for label, moment in ends]
    card = Card(first, name_of(best.thing), cut(note, _NOTE_LETTERS), rows=_plain_rows(rows, _AT_THE_BOTTOM))
    return card, ranked if len(top) > 1 else None


def _genres(review: YearReview) -> Card | None:
    top = review.statistics.top_genres
    rows = _ranked_rows([(name_of(row.thing), row.plays) for row in top[:_ROWS]])
    return Card(_("My genres"), "", rows=rows) if top else None


def _months(review: YearReview) -> Card:
    counts = [plays for _day, plays in review.statistics.spans]
    best = max(range(12), key=counts.__getitem__)
    day, plays = review.busiest_day
    note = _("Busiest day: %(day)s, %(plays)s") % {"day": date_format(day, "MONTH_DAY_FORMAT"), "plays": _plays(plays)}
    headline = date_format(review.statistics.spans[best][0], "F")
    marks = [date_format(first, "M") for first, _plays_then in review.statistics.spans]
    return Card(_("Month by month"), headline, note, columns=_columns(counts, marks))


def _hours(review: YearReview) -> Card:
    counts = list(review.statistics.hours)
    best = max(range(24), key=counts.__getitem__)
    marks = [str(hour) if hour % 3 == 0 else "" for hour in range(24)]
    return Card(
        _("Around the clock"), hour_text(best), _("This is when I listen most."), columns=_columns(counts, marks)
    )


def _new_artists(review: YearReview) -> Card | None:
    count = review.new_artist_count
    if not count:
        return None
    headline = ngettext("%(count)s artist", "%(count)s artists", count) % {"count": intcomma(count)}
    rows = _ranked_rows([(name_of(artist), plays) for artist, plays in review.new_artists], _BELOW_HEADLINE)
    return Card(_("New to me"), headline, _("Heard for the first time this year"), rows=rows)


def _plays(count: int) -> str:
    return ngettext("%(shown)s play", "%(shown)s plays", count) % {"shown": intcomma(count)}


def _plain_rows(rows: Sequence[tuple[str, str]], geometry: tuple[int, int] = _BELOW_HEADLINE) -> list[Row]:
    top, step = geometry
    return [Row(label, value, top + step * number) for number, (label, value) in enumerate(rows)]


def _ranked_rows(rows: Sequence[tuple[str, int]], geometry: tuple[int, int] = _ALONE) -> list[Row]:
    (top, step), width = geometry, WIDTH - 2 * MARGIN
    most = max((plays for _label, plays in rows), default=1)
    return [
        Row(cut(label, _ROW_LETTERS), intcomma(plays), top + step * number, round(width * plays / most))
        for number, (label, plays) in enumerate(rows)
    ]


def _columns(counts: Sequence[int], marks: Sequence[str]) -> list[Column]:
    step, most = (WIDTH - 2 * MARGIN) / len(counts), max(counts) or 1
    columns = []
    for number, (count, mark) in enumerate(zip(counts, marks, strict=True)):
        height = round((_COLUMNS_BOTTOM - _COLUMNS_TOP) * count / most, 1)
        x = MARGIN + step * number
        columns.append(
            Column(
                round(x + step * 0.12, 1), _COLUMNS_BOTTOM - height, round(step * 0.76, 1), height,
                round(x + step / 2, 1), mark,
            )
        )  # fmt: skip
    return columns
