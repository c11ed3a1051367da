"""Forms of the experiments' pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommender.experiments.services import CONTROL, ArmPlan
from recommender.experiments.settings import ArmSetting, SettingError, read_setting
from recommender.models import Experiment, ExperimentArm


class SettingField(forms.CharField):
    """What an arm changes, as text: ``version=14 dial=0.5``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=400, required=False, **options)

    def clean(self, value: Any) -> Any:
        """Return the setting."""
        try:
            return read_setting(super().clean(value) or "")
        except SettingError as error:
            raise forms.ValidationError(str(error)) from error


class ExperimentForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new experiment: its extent, the control, and one or two other arms."""

    control = SettingField(
        label=_("Control changes"), help_text=_("Leave this empty to serve the control like the rest of the site.")
    )
    first_name = forms.CharField(label=_("Name of the first arm"), max_length=40)
    first = SettingField(label=_("First arm changes"))
    second_name = forms.CharField(
        label=_("Name of the second arm"), max_length=40, required=False, help_text=_("Leave this empty for two arms.")
    )
    second = SettingField(label=_("Second arm changes"))

    class Meta:
        model = Experiment
        fields = ("name", "share", "days", "max_loss")
        help_texts = {
            "share": _("The others are served as before and aren't counted."),
            "max_loss": _("An arm stops by itself when it certainly loses more likes than that."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control"
        for name in ("first", "second", "control"):
            self.fields[name].widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}
        self.fields["first"].widget.attrs["placeholder"] = "dial=0.5 page.diversity=0.3"

    def clean(self) -> dict[str, Any]:
        """Check that changes of a second arm have a name."""
        data = super().clean() or self.cleaned_data
        if not data.get("second_name") and "second_name" in data and data.get("second", ArmSetting()) != ArmSetting():
            self.add_error("second_name", self.fields["second_name"].error_messages["required"])
        return data

    def arms(self) -> list[ArmPlan]:
        """Return the arms, the control first."""
        data = self.cleaned_data
        plans = [ArmPlan(CONTROL, data["control"]), ArmPlan(data["first_name"], data["first"])]
        if data["second_name"]:
            plans.append(ArmPlan(data["second_name"], data["second"]))
        return plans


class ConfirmForm(forms.Form):
    """A box that has to be ticked, so that nothing is started or stopped by a slip."""

    confirm = forms.BooleanField(error_messages={"required": _("Tick the box to confirm.")})


class AdoptForm(ConfirmForm):
    """Which arm is adopted, and why."""

    field_order = ("arm", "note", "confirm")
    arm = forms.ModelChoiceField(
        ExperimentArm.objects.none(), label=pgettext_lazy("experiment", "Arm"), empty_label=None
    )
    note = forms.CharField(label=pgettext_lazy("experiment", "Reason"), max_length=500)

    def __init__(self, experiment: Experiment, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="adopt-%s")
        self.fields["confirm"].label = _("Change the whole site.")
        classes = {"confirm": "form-check-input", "arm": "form-select", "note": "form-control"}
        for name, style in classes.items():
            self.fields[name].widget.attrs["class"] = style
        arms = self.fields["arm"]
        assert isinstance(arms, forms.ModelChoiceField)
        arms.queryset = experiment.arms.select_related("experiment", "model_version")
