"""Labels of fields on the pages of the administration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Field, Model

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def label_fields(model: type[Model], **labels: StrOrPromise) -> None:
    """Give fields of ``model`` their labels, by name; Django derives others from the field's name, in English alone.

    Said here instead of at the field, for there each label would need a migration.
    """
    for name, label in labels.items():
        field = model._meta.get_field(name)
        if not isinstance(field, Field):
            raise TypeError(f"{model.__name__}.{name} is no field with a label")
        field.verbose_name = label
