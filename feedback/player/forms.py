"""Forms for the requests of the player's script."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404, QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Artist, Genre, Track
from feedback.playlists.models import Playlist
from feedback.playlists.selectors import tracks_of
from feedback.plays.models import Play
from feedback.queue.services import MAX_SONGS

_MAX_ID = 2**63 - 1
_DAY_MS = 24 * 3600 * 1000


class TracksField(forms.CharField):
    """Song ids in order, separated by commas; cleans to the songs that are shown, in that order."""

    def clean(self, value: Any) -> list[Track]:
        text = super().clean(value)
        parts = text.split(",")[:MAX_SONGS] if text else []
        if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
            raise forms.ValidationError("must be IDs separated by commas", code="invalid")
        tracks = Track.objects.active().in_bulk([int(part) for part in parts])
        return [tracks[int(part)] for part in parts if int(part) in tracks]


class ItemForm(forms.Form):
    """An item of the queue."""

    item = forms.IntegerField(min_value=1, max_value=_MAX_ID)


class MoveForm(ItemForm):
    """An upcoming item and the index it moves to, counted from 0."""

    index = forms.IntegerField(min_value=0, max_value=MAX_SONGS)


class NextForm(forms.Form):
    """On to the next song; ``after`` is the item that was playing."""

    after = forms.IntegerField(min_value=1, max_value=_MAX_ID, required=False)


class AddForm(forms.Form):
    """Songs to add; ``next`` puts them right after the one that plays."""

    tracks = TracksField()
    next = forms.BooleanField(required=False)


class ShuffleForm(forms.Form):
    """Shuffle on or off."""

    on = forms.BooleanField(required=False)


class DeviceForm(forms.Form):
    """The name of the page that will play what it asks for."""

    device = forms.CharField(max_length=60)


class PlayingForm(forms.Form):
    """Whether a page plays, where in the song, and the name the page has."""

    playing = forms.BooleanField(required=False)
    song_ms = forms.IntegerField(min_value=0, max_value=_DAY_MS)
    device = forms.CharField(max_length=60)


class TrackForm(forms.Form):
    """A song that is shown."""

    track = forms.ModelChoiceField(Track.objects.active())


class ReportForm(forms.Form):
    """How far a play has come."""

    token = forms.UUIDField()
    track = forms.ModelChoiceField(Track.objects.active())
    ms_played = forms.IntegerField(min_value=0, max_value=_DAY_MS)
    outcome = forms.ChoiceField(choices=Play.Outcome.choices)
    known = forms.BooleanField(required=False)


@dataclass(frozen=True)
class SongList:
    """Songs to play, and where they are from as the player shows it."""

    tracks: list[Track]
    origin: str
    origin_url: str


class PlayListForm(forms.Form):
    """A list of songs: the ids on a page, or all songs of a ``source`` that spans several pages.

    Validating raises ``Http404`` where the source is not there, or another listener's. Without a song it is not valid.
    """

    SOURCES = ("likes", "playlist", "artist", "genre")

    source = forms.ChoiceField(choices=[(name, name) for name in SOURCES], required=False)
    source_id = forms.IntegerField(min_value=1, max_value=_MAX_ID, required=False)
    tracks = TracksField(required=False)
    origin = forms.CharField(max_length=200, required=False)
    origin_url = forms.RegexField(r"^/(?!/)[^\\\s]*$", max_length=300, required=False)
    first = forms.ModelChoiceField(Track.objects.active(), required=False)

    def __init__(self, data: QueryDict | dict[str, Any], *, user: User) -> None:
        self.user = user
        super().__init__(data)

    def clean(self) -> dict[str, Any]:
        """Read the songs as ``cleaned_data["list"]``."""
        data = super().clean() or {}
        source = data.get("source")
        if source in self.SOURCES[1:] and data.get("source_id") is None and "source_id" not in self.errors:
            self.add_error("source_id", forms.ValidationError(_("A value is required."), code="required"))
        if self.errors:
            return data
        tracks = self._source_tracks() if source else data["tracks"]
        if not tracks:
            message = _("There are no songs to play.")
            self.add_error("source" if source else "tracks", forms.ValidationError(message, code="empty"))
        elif data["first"] is not None and data["first"] not in tracks:
            self.add_error("first", forms.ValidationError(_("This song isn't in the list."), code="unlisted"))
        data["list"] = SongList(tracks, data["origin"], data["origin_url"])
        return data

    def _source_tracks(self) -> list[Track]:
        pk = self.cleaned_data["source_id"]
        user = self.user
        shown = Track.objects.active()
        match self.cleaned_data["source"]:
            case "likes":
                tracks = shown.filter(ratings__user=user, ratings__value=1).order_by("-ratings__updated_at", "-pk")
            case "playlist":
                tracks = tracks_of(_found(Playlist, pk=pk, owner=user))
            case "artist":
                tracks = shown.filter(artists=_found(Artist, pk=pk)).order_by("-popularity", "pk")
            case _:
                tracks = shown.filter(genres=_found(Genre, pk=pk)).order_by("-popularity", "pk")
        return list(tracks[:MAX_SONGS])


def _found(model: Any, **conditions: Any) -> Any:
    row = model.objects.filter(**conditions).first()
    if row is None:
        raise Http404(model._meta.label)
    return row
