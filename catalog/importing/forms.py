"""The form that uploads a catalogue file."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.importing.reading.layout import FIELDS
from jobs.disk import DiskFullError, refuse_full_disk


def no_room() -> str:
    """Return why no file is taken while the disk is nearly full."""
    text = gettext("There's no room for your file: the server keeps %(floor)d MB free (MIN_FREE_DISK_MB).")
    return text % {"floor": settings.MIN_FREE_DISK_MB}


class ImportForm(forms.Form):
    """A catalogue file to upload."""

    file = forms.FileField(label=_("Catalogue file"), help_text=_("A .csv or .csv.gz file."))
    is_dry_run = forms.BooleanField(
        label=_("Dry run"), required=False, help_text=_("Show what would happen without changing anything.")
    )
    mapping = forms.CharField(
        label=_("Columns"),
        required=False,
        max_length=1000,
        help_text=_(
            "Only where the report shows that a column was misunderstood: field=heading, parted by commas, as in "
            "title=song_name, album="
        ),
    )

    def clean_mapping(self) -> dict[str, str]:
        """Return headings by field."""
        pairs = [pair.partition("=") for pair in self.cleaned_data["mapping"].split(",") if pair.strip()]
        for name, sign, _heading in pairs:
            if not sign or name.strip() not in FIELDS:
                known = {"name": name.strip(), "fields": ", ".join(FIELDS)}
                raise forms.ValidationError(gettext("“%(name)s” is no field. There are: %(fields)s.") % known)
        return {name.strip(): heading.strip() for name, _sign, heading in pairs}

    def clean_file(self) -> "UploadedFile[Any]":
        """Refuse a file over ``settings.MAX_IMPORT_UPLOAD_BYTES``."""
        upload: UploadedFile[Any] = self.cleaned_data["file"]
        limit = settings.MAX_IMPORT_UPLOAD_BYTES
        if (upload.size or 0) > limit:
            sizes = {"size": filesizeformat(upload.size or 0), "limit": filesizeformat(limit)}
            raise forms.ValidationError(gettext("That file is %(size)s. The limit is %(limit)s.") % sizes)
        try:
            refuse_full_disk(upload.size or 0)
        except DiskFullError:
            raise forms.ValidationError(no_room()) from None
        return upload
