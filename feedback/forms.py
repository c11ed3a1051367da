"""Forms of the feedback app."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.models import Artist, Genre, Track

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

    def to_python(self, value: Iterable[str] | None) -> list[Model]:
        texts = set(value or ())
        if len(texts) > MAX_PICKS:
            raise forms.ValidationError(self.error_messages["too_many"], code="too_many", params={"limit": MAX_PICKS})
        if not all(text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _MAX_ID for text in texts):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return list(self.rows.filter(pk__in=[int(text) for text in texts])) if texts else []


class StartForm(forms.Form):
    """What a new listener starts from."""

    genre = PicksField(Genre.objects.all())
    artist = PicksField(Artist.objects.all())
    track = PicksField(Track.objects.active())
    q = forms.CharField(required=False, max_length=200)
