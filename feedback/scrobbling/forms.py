"""The form of a new player token."""

from django import forms

from feedback.scrobbling.models import ScrobbleKey


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name of the token."""

    class Meta:
        model = ScrobbleKey
        fields = ("name",)
