"""What listeners choose about their songs at Spotify."""

from django import forms
from django.utils.translation import gettext_lazy as _

from feedback.spotify_import.models import PARTS


class BringForm(forms.Form):
    """Which parts, and that the listener wants it."""

    parts = forms.MultipleChoiceField(
        label=_("What to import"),
        choices=list(PARTS.items()),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": _("Choose at least one.")},
    )
    consent = forms.BooleanField(
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
        label=_("Yes, read this from my Spotify account and use it for my recommendations"),
        error_messages={"required": _("We won't read anything without your consent. Tick the box to continue.")},
    )


class DisconnectForm(forms.Form):
    """What becomes of what was imported from there."""

    imports = forms.ChoiceField(
        label=_("What you imported from Spotify"),
        choices=[
            (
                "delete",
                _("Delete the likes, plays, artists and playlists I imported, and songs I added that nobody uses"),
            ),
            ("keep", _("Keep them as mine")),
        ],
        initial="delete",
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )


class PlaylistImportForm(forms.Form):
    """Which playlist, and what becomes of it."""

    playlist = forms.RegexField(regex=r"\A[0-9A-Za-z]{1,64}\Z")
    name = forms.CharField(max_length=100, required=False)
    # Not a choice field's list of labels: the page has two buttons.
    into = forms.TypedChoiceField(choices=[("likes", ""), ("list", "")])

    def clean_name(self) -> str:
        """Return the name in one line."""
        return " ".join(str(self.cleaned_data["name"]).split())
