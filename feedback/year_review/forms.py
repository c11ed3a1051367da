"""The form that shares a year."""

from django import forms
from django.utils.translation import gettext_lazy as _

DAYS = {7: _("one week"), 30: _("one month"), 90: _("three months")}
USUAL_DAYS = 30


class ShareForm(forms.Form):
    """For how long the link works."""

    days = forms.TypedChoiceField(
        label=_("The link works for"), choices=list(DAYS.items()), coerce=int, initial=USUAL_DAYS
    )
