"""What the history is narrowed to."""

from django import forms

from feedback.plays.models import Play


class HistoryForm(forms.Form):
    """What the history is narrowed to; what does not fit counts as not chosen."""

    q = forms.CharField(required=False)
    outcome = forms.ChoiceField(choices=Play.Outcome.choices, required=False)

    def choices_made(self) -> tuple[str, str]:
        """Return the words looked for, and the outcome or nothing."""
        self.is_valid()
        return self.cleaned_data.get("q", "")[:200], self.cleaned_data.get("outcome") or ""
