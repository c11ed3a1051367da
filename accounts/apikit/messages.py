"""Translates validation errors, because the validation library only has English messages."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

# By the library's types of errors; the names in brackets are those of its context.
_MESSAGES: dict[str, str | Promise] = {
    "missing": gettext_lazy("A value is required."),
    "extra_forbidden": gettext_lazy("There is no such field."),
    "string_type": gettext_lazy("Must be a text."),
    "string_too_short": gettext_lazy("Must have at least %(min_length)s characters."),
    "string_too_long": gettext_lazy("Must have at most %(max_length)s characters."),
    "string_pattern_mismatch": gettext_lazy("Must match %(pattern)s."),
    "int_type": gettext_lazy("Must be a whole number."),
    "int_parsing": gettext_lazy("Must be a whole number."),
    "int_parsing_size": gettext_lazy("Must be a smaller number."),
    "int_from_float": gettext_lazy("Must be a whole number."),
    "float_type": gettext_lazy("Must be a number."),
    "float_parsing": gettext_lazy("Must be a number."),
    "finite_number": gettext_lazy("Must be a number."),
    "bool_type": gettext_lazy("Must be true or false."),
    "bool_parsing": gettext_lazy("Must be true or false."),
    "greater_than_equal": gettext_lazy("Must be %(ge)s or more."),
    "less_than_equal": gettext_lazy("Must be %(le)s or less."),
    "literal_error": gettext_lazy("Must be one of: %(expected)s."),
    "list_type": gettext_lazy("Must be a list."),
    "too_short": gettext_lazy("Must have at least %(min_length)s items."),
    "too_long": gettext_lazy("Must have at most %(max_length)s items."),
    "dict_type": gettext_lazy("Must be an object."),
    "model_type": gettext_lazy("Must be an object."),
    "model_attributes_type": gettext_lazy("Must be an object."),
    "uuid_type": gettext_lazy("Must be a UUID."),
    "uuid_parsing": gettext_lazy("Must be a UUID."),
    "datetime_parsing": gettext_lazy("Must be a time such as 2026-11-21T18:00:00Z."),
    "datetime_from_date_parsing": gettext_lazy("Must be a time such as 2026-11-21T18:00:00Z."),
    "datetime_object_invalid": gettext_lazy("Must be a time such as 2026-11-21T18:00:00Z."),
    "timezone_aware": gettext_lazy("Must be a time with its time zone, such as 2026-11-21T18:00:00Z."),
}


def message_of(error: dict[str, Any]) -> str:
    """Return a validation error's message, translated; rare types keep the library's own words."""
    context = error.get("ctx", {})
    message = _MESSAGES.get(error["type"])
    if message is None:
        # A type that none of our fields has.
        return str(error["msg"])
    values = {name: str(value).replace(" or ", ", ") for name, value in context.items()}
    return str(message) % values


def field_of(location: tuple[Any, ...]) -> str:
    """Return the name of the request's own field, with its location."""
    source, *names = location
    if source == "body":
        # The first part is the function's name of the whole body.
        names = names[1:]
    elif source in ("form", "file"):
        source = "body"
    elif len(names) > 1 and isinstance(names[1], str):
        # One value of a list: its first part is the function's name of all parameters.
        names = names[1:]
    # Such a name is a branch of a union.
    shown = [str(name) for name in names if not str(name).startswith(("constrained-", "function-"))]
    return ".".join([source, *shown])
