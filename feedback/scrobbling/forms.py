"""A new token of a player."""

from django import forms

from feedback.scrobbling.models import ScrobbleKey


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the token is called."""

    class Meta:
        model = ScrobbleKey
        fields = ("name",)
