"""Logs as one stream of JSON lines (text while DEBUG is on), each naming its request, and with nobody's data in them.

Addresses, queries and names of listeners are not written: a request is known by its route, a failure by its kind and
place. What slips into a message all the same is redacted. Strangers write a part of these texts (a host, a path), so
that each is cut before a pattern sees it, and each pattern takes a time that grows with the text and no faster.
"""

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

Event = MutableMapping[str, Any]
# They tell the path, and so ids, reset keys and what somebody typed; the middleware writes the route instead.
_WITH_PATH = ("django.request", "django.security.csrf")
# Of these, nothing but the logger's name is kept: the message and the traceback repeat what a stranger sent.
_SECURITY = "django.security."
# What gunicorn says of a request, with its address, path or headers behind it.
_OF_REQUESTS = ("Error handling request", "Invalid request")
_QUERY = re.compile(r"\?\S++")
_MAX_TEXT, _MAX_TRACEBACK = 2_000, 16_000
_BLACKENED = (
    # Looked for from the first letter of a word alone: from each letter, a long word would take the square of the time.
    (re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++"), "[e-mail]"),
    (re.compile(r"\bearworm_[\w-]+"), "[token]"),
    (re.compile(r"\bBearer\s++\S++"), "Bearer [token]"),
    # PostgreSQL and MariaDB repeat the values of a row that broke a rule.
    # A value may hold whatever ends it: up to the last such ending of the line, or the whole line.
    (re.compile(r"Key \((?:.*\)(?= (?:already|is not|is still|conflicts)\b)|.*)"), "[row]"),
    (re.compile(r"Duplicate entry '(?:.*'(?= for key)|.*)"), "Duplicate entry [row]"),
    (re.compile(r"Failing row contains \(.*"), "Failing row contains [row]"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "[address]"),
    (re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{0,4}(?![\w:])"), "[address]"),
    (re.compile(r"(?<![\w:])(?:(?:[0-9a-fA-F]{1,4}:){1,6}|:)(?::[0-9a-fA-F]{1,4}){1,7}(?![\w:])"), "[address]"),
)


def redact(text: str, *, most: int = _MAX_TEXT) -> str:
    """Return ``text`` without what could name a person or open an account, and no more of it than ``most`` letters.

    What is cut is in the middle: a traceback says at its end what happened.
    """
    if len(text) > most:
        text = f"{text[: most // 2]} [...] {text[-most // 2 :]}"
    for pattern, instead in _BLACKENED:
        text = pattern.sub(instead, text)
    return text


def constant_text(_logger: Any, _method: str, event: Event) -> Event:
    """Log a refused request with Django's and gunicorn's usual message, without what was sent."""
    record = event.get("_record")
    if record is None:
        return event
    name = str(record.name)
    if name in _WITH_PATH:
        event["event"] = str(record.msg).split(":")[0].replace("%s", "").strip() or "request refused"
        event["status"] = getattr(record, "status_code", None)
    elif name.startswith(_SECURITY):
        event["event"] = "request refused"
        event.pop("exc_info", None)
        event.pop("stack_info", None)
    elif name == "django.server":
        # The development server's line of a request: players send passwords in the query.
        event["event"] = _QUERY.sub("?[query]", str(event.get("event", "")))
    elif name.startswith("gunicorn"):
        event["event"] = next((text for text in _OF_REQUESTS if str(record.msg).startswith(text)), event["event"])
    return event


def without_personal_data(_logger: Any, _method: str, event: Event) -> Event:
    """Cut and redact every text of an event."""
    for name, value in list(event.items()):
        if isinstance(value, str):
            event[name] = redact(value, most=_MAX_TRACEBACK if name == "exception" else _MAX_TEXT)
    return event


def logging_settings(*, level: str, is_json: bool) -> dict[str, Any]:
    """Return Django's ``LOGGING``: everything to standard error, through structlog."""
    render = structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    constant_text,
                    structlog.processors.format_exc_info,
                    without_personal_data,
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    render,
                ],
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
            # Before the site is loaded, too: gunicorn.conf.py hands these settings over.
            "gunicorn.error": {"handlers": ["console"], "level": "INFO", "propagate": False},
        },
    }


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure() -> None:
    """Send structlog's own loggers the same way."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
