"""What a new listener sends."""

from django import forms

from catalog.models import Genre, Track
from feedback.web.fields import ArtistPicksField, PicksField


class StartGenresForm(forms.Form):
    """The genres a new listener starts from, and a search among them."""

    genre = PicksField(Genre.objects.all())
    q = forms.CharField(required=False, max_length=200)


class StartArtistsForm(forms.Form):
    """The artists and songs a new listener starts from, and a search for more."""

    artist = ArtistPicksField()
    track = PicksField(Track.objects.active())
    q = forms.CharField(required=False, max_length=200)
