"""What playlist pages send."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.models import Track
from feedback.models import Playlist
from feedback.playlist_services import MAX_SONGS

_NAME_LENGTH = 100


class PlaylistNameForm(forms.Form):
    """A playlist's name, and the song to begin it with where there is one."""

    name = forms.CharField(label=_("Name"), max_length=_NAME_LENGTH)
    track = forms.ModelChoiceField(Track.objects.active(), required=False)

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

    place = forms.IntegerField(min_value=0, max_value=MAX_SONGS + 1)


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
