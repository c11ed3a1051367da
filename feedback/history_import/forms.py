"""The form that uploads a listening history."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class HistoryUploadForm(forms.Form):
    """An exported history, and what becomes of songs that the site does not know."""

    file = forms.FileField(
        label=_("Your file"), help_text=_("A .zip, .json, .jsonl, .csv, .tsv or .log file."), max_length=255
    )
    wants_own_songs = forms.BooleanField(
        label=_("Include songs that aren't in the catalogue"),
        required=False,
        initial=True,
        help_text=_(
            "They count towards your taste through their artists, and appear in your history and statistics, where "
            "only you can see them. If you leave this off, they're skipped."
        ),
    )

    def clean_file(self) -> "UploadedFile[Any]":
        """Refuse a file over ``settings.MAX_HISTORY_UPLOAD_BYTES``."""
        upload: UploadedFile[Any] = self.cleaned_data["file"]
        if (upload.size or 0) > settings.MAX_HISTORY_UPLOAD_BYTES:
            raise forms.ValidationError(too_large(upload.size or 0))
        return upload


def too_large(size: int) -> str:
    """Return the error for an upload of ``size`` bytes."""
    sizes = {"size": filesizeformat(size), "limit": filesizeformat(settings.MAX_HISTORY_UPLOAD_BYTES)}
    return gettext("That file is %(size)s. The limit is %(limit)s.") % sizes
