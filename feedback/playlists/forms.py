"""Forms of the playlist pages."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.models import Track
from feedback.playlists.models import Playlist

_NAME_LENGTH = 100
# As many as a queue holds.
_FIRST_SONGS = 600

# Positions beyond the end mean the end.
_LAST = 1_000_000


class PlaylistNameForm(forms.Form):
    """A playlist's name, and the songs to begin it with where there are any: one, or ids with commas between them."""

    name = forms.CharField(label=_("Name"), max_length=_NAME_LENGTH)
    track = forms.ModelChoiceField(Track.objects.active(), required=False)
    tracks = forms.CharField(required=False, max_length=20 * _FIRST_SONGS)

    def clean_tracks(self) -> list[Track]:
        """Find the songs that are still shown, in this order."""
        parts = [part for part in str(self.cleaned_data["tracks"]).split(",") if part]
        if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
            raise forms.ValidationError(_("Choose from the list."), code="invalid")
        tracks = Track.objects.active().in_bulk([int(part) for part in parts])
        return [tracks[int(part)] for part in parts if int(part) in tracks]

    @property
    def first_songs(self) -> list[Track]:
        """What the playlist begins with."""
        track = self.cleaned_data.get("track")
        return [track] if track else list(self.cleaned_data.get("tracks") or [])

    def clean_name(self) -> str:
        """Write a name on one line."""
        return " ".join(str(self.cleaned_data["name"]).split())


class PlaylistItemForm(forms.Form):
    """A song of one playlist."""

    track = forms.ModelChoiceField(Track.objects.none())

    def __init__(self, *args: Any, tracks: QuerySet[Track], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["track"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = tracks


class MoveForm(PlaylistItemForm):
    """Where a song of a playlist goes, counted from 1."""

    number = forms.IntegerField(min_value=0, max_value=_LAST)


class RestoreForm(PlaylistItemForm):
    """A song that was taken out, and where it stood."""

    position = forms.IntegerField(min_value=0, max_value=2**30)


class KeepForm(forms.Form):
    """Whether a song is to be in one of the listener's playlists."""

    playlist = forms.ModelChoiceField(Playlist.objects.none())
    keep = forms.TypedChoiceField(choices=[("1", "1"), ("0", "0")], coerce=lambda sent: sent == "1")

    def __init__(self, *args: Any, playlists: QuerySet[Playlist], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["playlist"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = playlists
