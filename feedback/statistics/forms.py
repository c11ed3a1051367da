"""The form of the statistics page."""

from django import forms

from feedback.statistics.selectors import PERIODS


class PeriodForm(forms.Form):
    """Of which time the statistics are."""

    period = forms.ChoiceField(choices=[(name, label) for name, (label, _days) in PERIODS.items()], required=False)

    def period_chosen(self) -> str:
        """Return the name of the period, "" where none fits."""
        self.is_valid()
        return str(self.cleaned_data.get("period") or "")
