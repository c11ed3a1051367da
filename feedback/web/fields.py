"""Shared form fields."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.identity.compilers import is_compiler
from catalog.models import Artist

MAX_PICKS = 500

_MAX_ID = 2**63 - 1


class PicksField(forms.Field):
    """Ids of picked rows; cleans to the rows. Rows that went since the page was shown are left out."""

    widget = forms.MultipleHiddenInput
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Choose from the list."),
        "too_many": _("Choose up to %(limit)d."),
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


class ArtistPicksField(PicksField):
    """Ids of picked artists. Placeholders such as "Various Artists" are refused."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "several": _(
            "“%(name)s” stands for many artists, so it says nothing about your taste. Choose the artists themselves."
        ),
    }

    def __init__(self) -> None:
        super().__init__(Artist.objects.all())

    def to_python(self, value: Iterable[str | int] | None) -> list[Model]:
        artists = super().to_python(value)
        for artist in artists:
            refuse_compiler(artist)
        return artists


def refuse_compiler(artist: Any) -> None:
    """Raise ``ValidationError`` for placeholder artists of compilations."""
    if isinstance(artist, Artist) and is_compiler(artist.name):
        messages = ArtistPicksField.default_error_messages
        raise forms.ValidationError(messages["several"], code="several", params={"name": artist.name})
