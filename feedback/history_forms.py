"""The form with which a listener brings their past along."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class HistoryUploadForm(forms.Form):
    """An exported history, and what becomes of songs that the site does not know."""

    file = forms.FileField(label=_("Your export"), help_text=_("A .zip, .json, .jsonl or .csv file."), max_length=255)
    wants_own_songs = forms.BooleanField(
        label=_("Use songs that this site does not know, too"),
        required=False,
        initial=True,
        help_text=_("They count in your taste, by their artist, and are shown to nobody. Otherwise they stay aside."),
    )

    def clean_file(self) -> "UploadedFile[Any]":
        """Refuse a file over ``settings.MAX_HISTORY_UPLOAD_BYTES``."""
        upload: UploadedFile[Any] = self.cleaned_data["file"]
        if (upload.size or 0) > settings.MAX_HISTORY_UPLOAD_BYTES:
            raise forms.ValidationError(too_large(upload.size or 0))
        return upload


def too_large(size: int) -> str:
    """Return what to say of an upload of ``size`` bytes."""
    sizes = {"size": filesizeformat(size), "limit": filesizeformat(settings.MAX_HISTORY_UPLOAD_BYTES)}
    return gettext("The file has %(size)s; at most %(limit)s are accepted.") % sizes
