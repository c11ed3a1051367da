"""Logs as one stream of JSON lines (text while DEBUG is on), each naming its request, and with nobody's data in them.

Addresses, queries and names of listeners are not written: a request is known by its route, a failure by its kind and
place. What slips into a message all the same is blackened.
"""

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

Event = MutableMapping[str, Any]
# They tell the path, and so ids, reset keys and what somebody typed; the middleware writes the route instead.
_WITH_PATH = ("django.request", "django.security.csrf")
_BLACKENED = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"\bearworm_[\w-]+"), "[token]"),
    (re.compile(r"\bBearer\s+\S+"), "Bearer [token]"),
    # PostgreSQL and MariaDB repeat the values of a row that broke a rule.
    (re.compile(r"Key \([^)]*\)=\(.*?\)(?= |$)", re.MULTILINE), "[row]"),
    (re.compile(r"Duplicate entry '.*?' for key"), "Duplicate entry [row] for key"),
    (re.compile(r"Failing row contains \(.*\)"), "Failing row contains [row]"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "[address]"),
    (re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{0,4}(?![\w:])"), "[address]"),
)


def blacken(text: str) -> str:
    """Return ``text`` without what could name a person or open an account."""
    for pattern, instead in _BLACKENED:
        text = pattern.sub(instead, text)
    return text


def without_personal_data(_logger: Any, _method: str, event: Event) -> Event:
    """Blacken every text of an event, and leave out paths."""
    record = event.get("_record")
    if record is not None and record.name in _WITH_PATH:
        event["event"] = str(record.msg).split(":")[0].replace("%s", "").strip() or "request refused"
        event["status"] = getattr(record, "status_code", None)
    for name, value in list(event.items()):
        if isinstance(value, str):
            event[name] = blacken(value)
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
        "loggers": {"django.server": {"handlers": ["console"], "level": "INFO", "propagate": False}},
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
