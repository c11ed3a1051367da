"""Escapes CSV cells that spreadsheets would run as formulas (OWASP: CSV injection)."""

# A spreadsheet takes what begins so for a formula; the last four are the full-width forms of the first.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(value: object) -> object:
    """Return ``value`` with an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_SIGNS) else value
