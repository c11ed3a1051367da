"""Forms of the listener's account."""

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.regions import region_choices


class SignupExtraForm(forms.Form):
    """What sign-up asks beside name, e-mail and password; allauth builds its own form on top of this one."""

    region = forms.ChoiceField(
        label=_("Region"),
        required=False,
        choices=lambda: [("", _("Prefer not to say")), *region_choices()],
        help_text=_("Songs popular where you are come first."),
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Keep the extra answers with the new listener."""
        user.region = self.cleaned_data["region"]
        user.save(update_fields=["region"])
