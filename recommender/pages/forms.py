"""Forms of the recommender's pages."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.core.validators import validate_comma_separated_integer_list
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.forms import AdventureForm
from accounts.models import User
from catalog.models import Track
from feedback.web.fields import PicksField
from recommender.engine import SHELVES, ShelfName


class TuneForm(AdventureForm):
    """The adventure dial, whether only new songs are recommended and, if there are any, only ones with a recording."""

    songs = forms.ChoiceField(
        label=_("Songs"),
        choices=[("any", _("All songs")), ("recorded", _("Only songs with a recording"))],
        required=False,
        widget=forms.Select(attrs={"class": "form-select form-select-sm"}),
    )
    known = forms.ChoiceField(
        label=_("Songs you know"),
        choices=[("any", _("Include songs I know")), ("new", _("Only songs I haven't heard"))],
        required=False,
        widget=forms.Select(attrs={"class": "form-select form-select-sm"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["known"] = "new" if self.instance.unheard_only else "any"
        self.initial["songs"] = "recorded" if self.instance.recordings_only else "any"

    def save(self, commit: bool = True) -> User:
        """Save the choices that were made."""
        if chosen := self.cleaned_data["songs"]:
            self.instance.recordings_only = chosen == "recorded"
        if chosen := self.cleaned_data["known"]:
            self.instance.unheard_only = chosen == "new"
        user: User = super().save(commit)
        return user


class FillForm(forms.Form):
    """How many songs a playlist is to be filled with, and whether the listener may know them; defaults for the rest."""

    COUNTS: ClassVar[tuple[int, ...]] = (10, 25, 50)

    count = forms.TypedChoiceField(choices=[(count, count) for count in COUNTS], coerce=int, required=False)
    songs = forms.ChoiceField(
        choices=[("new", _("Only songs I haven't heard")), ("any", _("Include songs I know"))], required=False
    )

    def choices_made(self) -> tuple[int, bool]:
        """Return the number of songs, and whether only unknown ones are wanted."""
        self.is_valid()
        return self.cleaned_data.get("count") or 25, self.cleaned_data.get("songs") != "any"


class JourneyForm(forms.Form):
    """The two ends of a journey, each a song or a search for one, and how many songs lie between them."""

    COUNTS: ClassVar[tuple[int, ...]] = (5, 10, 20)

    start = forms.ModelChoiceField(Track.objects.active(), required=False)
    goal = forms.ModelChoiceField(Track.objects.active(), required=False)
    count = forms.TypedChoiceField(choices=[(count, count) for count in COUNTS], coerce=int, required=False)
    q = forms.CharField(max_length=200, required=False)

    def choices_made(self) -> tuple[Track | None, Track | None, int, str]:
        """Return the ends that are chosen and there, the number of songs, and the search; defaults for the rest."""
        self.is_valid()
        data = self.cleaned_data
        return data.get("start"), data.get("goal"), data.get("count") or 10, data.get("q", "")


class AddForm(forms.Form):
    """Songs ticked in a list."""

    track = PicksField(Track.objects.active())

    def in_order(self) -> list[Track]:
        """Return the songs in the order in which they were shown."""
        assert isinstance(self.data, QueryDict)
        positions = {int(text): number for number, text in enumerate(self.data.getlist("track"))}
        return sorted(self.cleaned_data["track"], key=lambda track: positions[track.pk])


class RateInSectionForm(forms.Form):
    """A like or dislike on the "For you" page, with the songs that stand in its sections."""

    section = forms.ChoiceField(choices=[(name, name) for name in SHELVES])
    value = forms.TypedChoiceField(choices=[(value, value) for value in (1, -1, 0)], coerce=int)
    undo = forms.BooleanField(required=False)

    def __init__(self, data: Mapping[str, str]) -> None:
        super().__init__(data)
        for name in SHELVES:
            self.fields[f"shown-{name}"] = forms.CharField(
                required=False, max_length=2000, validators=[validate_comma_separated_integer_list]
            )

    @property
    def name(self) -> ShelfName:
        """Return the section that is to answer."""
        return cast(ShelfName, self.cleaned_data["section"])

    def exclude_ids(self) -> set[int]:
        """Return the ids of the songs in the other sections; anything that is not one of our ids is left out."""
        texts = [self.cleaned_data[f"shown-{name}"] for name in SHELVES if name != self.name]
        return {int(text) for listed in texts for text in listed.split(",") if text and len(text) < 19}
