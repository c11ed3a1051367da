"""Forms of the feedback app."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.models import Artist, Genre, Track
from feedback.models import Play
from feedback.statistics import DEFAULT_PERIOD, PERIODS

MAX_PICKS = 500
_MAX_ID = 2**63 - 1


class PicksField(forms.Field):
    """Ids of picked rows; cleans to the rows. Rows that went since the page was shown are left out."""

    widget = forms.MultipleHiddenInput
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Pick from the list."),
        "too_many": _("Pick at most %(limit)d."),
    }

    def __init__(self, rows: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.rows = rows

    def to_python(self, value: Iterable[str | int] | None) -> list[Model]:
        texts = {str(item) for item in value or ()}
        if len(texts) > MAX_PICKS:
            raise forms.ValidationError(self.error_messages["too_many"], code="too_many", params={"limit": MAX_PICKS})
        if not all(text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _MAX_ID for text in texts):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return list(self.rows.filter(pk__in=[int(text) for text in texts])) if texts else []


class StartGenresForm(forms.Form):
    """The genres a new listener starts from."""

    genre = PicksField(Genre.objects.all())


class StartArtistsForm(forms.Form):
    """The artists and songs a new listener starts from, and a search for more."""

    artist = PicksField(Artist.objects.all())
    track = PicksField(Track.objects.active())
    q = forms.CharField(required=False, max_length=200)


class PreferencesForm(forms.Form):
    """Genres and artists, picked by id."""

    genre = PicksField(Genre.objects.all())
    artist = PicksField(Artist.objects.all())


class HistoryForm(forms.Form):
    """What the history is narrowed to; what does not fit counts as not chosen."""

    q = forms.CharField(required=False)
    outcome = forms.ChoiceField(choices=Play.Outcome.choices, required=False)

    def choices_made(self) -> tuple[str, str]:
        """Return the words looked for, and the outcome or nothing."""
        self.is_valid()
        return self.cleaned_data.get("q", "")[:200], self.cleaned_data.get("outcome") or ""


class PeriodForm(forms.Form):
    """Of which time the statistics are."""

    period = forms.ChoiceField(choices=[(name, label) for name, (label, _days) in PERIODS.items()], required=False)

    def period_chosen(self) -> str:
        """Return the name of the period, the usual one where none fits."""
        self.is_valid()
        return self.cleaned_data.get("period") or DEFAULT_PERIOD
