"""Forms of the recommender's pages."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import AdventureInput
from accounts.models import User


class AdventureForm(forms.ModelForm):  # type: ignore[type-arg]
    """The adventure dial of the "For you" page."""

    class Meta:
        model = User
        fields = ("adventure",)
        labels: ClassVar[dict[str, Any]] = {"adventure": _("Adventure")}
        widgets: ClassVar[dict[str, Any]] = {
            "adventure": AdventureInput(attrs={"min": "0", "max": "1", "step": "0.05", "class": "form-range"})
        }
