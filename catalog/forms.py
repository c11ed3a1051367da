"""Forms of the catalogue's pages and of its administration."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.features import FEATURES, FeatureError, FeatureSpec, check_feature
from catalog.identity.text import artist_key
from catalog.models import Artist, Genre, Track, TrackArtist
from catalog.search.filters import SLIDERS, Range, SongFilter
from catalog.selectors import DEFAULT_SORT, SORTS

FEATURE_PREFIX = "feature_"


class BrowseForm(forms.Form):
    """Filters and order of the song list; invalid values count as not chosen."""

    genre = forms.ModelChoiceField(queryset=Genre.objects.all(), required=False)
    sort = forms.ChoiceField(choices=lambda: list(SORTS.items()), required=False)
    year_from = forms.IntegerField(required=False, min_value=1000, max_value=9999)
    year_to = forms.IntegerField(required=False, min_value=1000, max_value=9999)

    def choices_made(self) -> tuple[SongFilter, str]:
        """Return the filters and the order."""
        self.is_valid()
        chosen = self.cleaned_data
        wanted = SongFilter(chosen.get("genre"), chosen.get("year_from"), chosen.get("year_to"), self._ranges())
        return wanted, chosen.get("sort") or DEFAULT_SORT

    def _ranges(self) -> dict[str, Range]:
        """Return the ranges that exclude something; swapped ends are put in order."""
        ranges = {}
        for name, slider in SLIDERS.items():
            low, high = self.cleaned_data.get(f"{name}_min"), self.cleaned_data.get(f"{name}_max")
            ends = sorted((slider.low if low is None else low, slider.high if high is None else high))
            if ends != [slider.low, slider.high]:
                ranges[name] = (ends[0], ends[1])
        return ranges


for _slider in SLIDERS.values():
    for _end in ("min", "max"):
        BrowseForm.base_fields[f"{_slider.name}_{_end}"] = forms.IntegerField(
            required=False, min_value=_slider.low, max_value=_slider.high
        )


class FeatureField(forms.FloatField):
    """One audio feature as a number, empty if unknown."""

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        super().__init__(
            label=spec.label,  # type: ignore[arg-type]
            required=False,
            min_value=spec.low,
            max_value=spec.high,
            step_size=1 if spec.is_integer else None,
            help_text=f"{spec.low:g} … {spec.high:g} ({spec.unit})",
        )

    def clean(self, value: Any) -> float | int | None:
        """Return the number as the schema has it.

        Raises:
            ValidationError: not a number, or out of range.
        """
        number = super().clean(value)
        try:
            return check_feature(self.spec.name, number)
        except FeatureError as error:
            raise forms.ValidationError(str(error)) from error


class TrackAdminForm(forms.ModelForm):  # type: ignore[type-arg]
    """A song, its audio features as separate fields instead of raw JSON."""

    class Meta:
        model = Track
        exclude = ("features", "features_origin", "artists")  # noqa: DJ006  (the admin names the fields)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in FEATURES:
            self.fields[FEATURE_PREFIX + name].initial = (self.instance.features or {}).get(name)

    def edited_features(self) -> dict[str, float | int] | None:
        """Return all features as edited, unknown ones left out, or ``None`` when none was changed."""
        if not any(name.startswith(FEATURE_PREFIX) for name in self.changed_data):
            return None
        values = {name: self.cleaned_data[FEATURE_PREFIX + name] for name in FEATURES}
        return {name: value for name, value in values.items() if value is not None}


TrackAdminForm.declared_fields.update({FEATURE_PREFIX + spec.name: FeatureField(spec) for spec in FEATURES.values()})
TrackAdminForm.base_fields.update(TrackAdminForm.declared_fields)


class CreditForm(forms.ModelForm):  # type: ignore[type-arg]
    """One credit. The number is no model field here, so that two artists can change places in one go."""

    number = forms.IntegerField(label=_("position"), min_value=1, max_value=1000, initial=1)

    class Meta:
        model = TrackArtist
        fields = ("artist",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["number"].initial = self.instance.position + 1


class ArtistAdminForm(forms.ModelForm):  # type: ignore[type-arg]
    """An artist; a name that another artist has already, but for case, accents and punctuation, is refused."""

    class Meta:
        model = Artist
        fields = ("name",)

    def clean_name(self) -> str:
        """Refuse a name that another artist has."""
        name: str = self.cleaned_data["name"]
        if Artist.objects.filter(key=artist_key(name)).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(gettext("There's already an artist with this name."))
        return name


class MergeForm(forms.Form):
    """Which of several songs to keep."""

    keep = forms.ModelChoiceField(queryset=Track.objects.none(), widget=forms.RadioSelect, empty_label=None)

    def __init__(self, *args: Any, tracks: list[Track], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["keep"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Track.objects.filter(pk__in=[track.pk for track in tracks])
