"""Names that listeners give to lists of theirs."""

from django.db import models


def list_name(name: str, model: type[models.Model]) -> str:
    """Return ``name`` on one line and cut to what the model's column holds. Raise ``ValueError`` for a blank one."""
    field = model._meta.get_field("name")
    assert isinstance(field, models.CharField)
    clean = " ".join(name.split())[: field.max_length]
    if not clean:
        raise ValueError(f"a {model._meta.model_name} needs a name")
    return clean
