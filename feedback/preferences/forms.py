"""Forms of preferences, blocks, adjustments and exclusions."""

from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from catalog.features import FEATURES
from catalog.models import Artist, Genre, Track
from feedback.preferences.services import LEVELS
from feedback.web.fields import ArtistPicksField, PicksField, refuse_compiler

KINDS: dict[str, Any] = {"track": Track, "artist": Artist, "genre": Genre}
DAYS = (("30", _("for 30 days")), ("7", _("for a week")), ("365", _("for a year")), ("", _("permanently")))
_MAX_ID = 2**63 - 1


class TargetForm(forms.Form):
    """A song, an artist or a genre; ``cleaned_data["target"]`` is its row."""

    kinds: ClassVar[tuple[str, ...]] = ("track", "artist", "genre")

    kind = forms.ChoiceField(choices=[(kind, kind) for kind in KINDS])
    id = forms.IntegerField(min_value=1, max_value=_MAX_ID)

    def __init__(self, data: QueryDict) -> None:
        if "what" in data:
            # One select names both: "artist 12".
            data = data.copy()
            data["kind"], _space, data["id"] = str(data["what"]).partition(" ")
        super().__init__(data)

    def clean(self) -> dict[str, Any]:
        """Find the row."""
        data = super().clean() or {}
        kind = data.get("kind", "")
        if kind in self.kinds and "id" in data:
            data["target"] = self.rows(kind).filter(pk=data["id"]).first()
        if data.get("target") is None and not self.errors:
            message = _("We couldn't find that song, artist or genre.")
            raise forms.ValidationError({"id": forms.ValidationError(message, code="gone")})
        return data

    @staticmethod
    def rows(kind: str) -> "QuerySet[Any]":
        """Return the rows that may be meant."""
        model: type[Model] = KINDS[kind]
        return Track.objects.active() if model is Track else model._default_manager.all()


class BlockForm(TargetForm):
    """What is to be blocked, and for how many days (empty: for good)."""

    days = forms.TypedChoiceField(choices=DAYS, required=False, coerce=int, empty_value=None)


class ExcludeForm(TargetForm):
    """A song or an artist that is not to count."""

    kinds: ClassVar[tuple[str, ...]] = ("track", "artist")


class LineForm(forms.Form):
    """An artist, genre or feature and its level; ``cleaned_data["line"]`` is the row or the feature's name."""

    kind = forms.ChoiceField(choices=[(kind, kind) for kind in ("artist", "genre", "feature")])
    id = forms.CharField(max_length=30)
    level = forms.ChoiceField(choices=[(level, level) for level in LEVELS])

    def clean(self) -> dict[str, Any]:
        """Find the row."""
        data = super().clean() or {}
        kind, key = data.get("kind"), data.get("id", "")
        if kind == "feature" and key in FEATURES:
            data["line"] = key
        elif kind in ("artist", "genre") and key.isascii() and key.isdigit() and int(key) <= _MAX_ID:
            data["line"] = TargetForm.rows(kind).filter(pk=int(key)).first()
            try:
                refuse_compiler(data["line"])
            except forms.ValidationError as error:
                self.add_error("id", error)
        if data.get("line") is None and not self.errors:
            message = _("We couldn't find that artist, genre or feature.")
            raise forms.ValidationError({"id": forms.ValidationError(message, code="gone")})
        return data


class PeriodForm(forms.Form):
    """A period to exclude, in the listener's time zone."""

    since = forms.DateTimeField(
        label=_("From"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    until = forms.DateTimeField(
        label=_("To"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )

    def clean(self) -> dict[str, Any]:
        """Check that it ends after it begins."""
        data = super().clean() or {}
        if "since" in data and "until" in data and data["since"] >= data["until"]:
            message = _("The end has to be after the start.")
            raise forms.ValidationError({"until": forms.ValidationError(message, code="period")})
        return data


class PreferencesForm(forms.Form):
    """Genres and artists, picked by id."""

    genre = PicksField(Genre.objects.all())
    artist = ArtistPicksField()
