"""Forms of the pages of blends."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.names import UsernameValidator


class BlendNameForm(forms.Form):
    """A blend's name."""

    name = forms.CharField(label=_("Name"), max_length=60)

    def clean_name(self) -> str:
        """Write a name on one line."""
        return " ".join(str(self.cleaned_data["name"]).split())


class InviteForm(forms.Form):
    """Whom to invite. Only whether it can be a username is checked, not whether it is somebody's."""

    username = forms.CharField(label=_("Their username"), max_length=150)

    def clean_username(self) -> str:
        """Write a name as accounts have it."""
        name = User.normalize_username(str(self.cleaned_data["username"]))
        UsernameValidator()(name)
        return name


class AnswerForm(forms.Form):
    """Yes or no to an invitation."""

    answer = forms.ChoiceField(choices=[("accept", "accept"), ("decline", "decline")])
