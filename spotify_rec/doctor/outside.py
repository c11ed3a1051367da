"""Checks of the site from outside, through its proxy."""

import re
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings

from spotify_rec.doctor.findings import Finding, broken, ok

SECONDS = 20
CLOCK_SECONDS = 60.0


def address(url: str) -> Finding:
    """Ask for a page and its style sheets at ``url``, as a browser would."""
    start = url.rstrip("/") + "/"
    try:
        answer = requests.get(urljoin(start, "songs/"), timeout=SECONDS)
        if problem := _problem_with(answer, start):
            return problem
        for sheet in re.findall(r'<link rel="stylesheet" href="([^"]+)"', answer.text):
            if (status := requests.get(urljoin(start, sheet), timeout=SECONDS).status_code) != 200:
                return broken("address", f"{urljoin(start, sheet)}: {status}", _ADVICE_BASE_PATH)
    except requests.TooManyRedirects:
        advice = "have the proxy send X-Forwarded-Proto, and set TRUSTED_PROXY_COUNT=1"
        return broken("address", f"{start} leads in a circle", advice)
    except requests.RequestException as error:
        return broken("address", f"{start} gives no answer ({type(error).__name__})", "see that proxy and site run")
    return ok("address", f"{start} answers, with its style sheets")


_ADVICE_BASE_PATH = "BASE_PATH has to be the path of the address, and the proxy has to take it away (docs/operating.md)"


def _problem_with(answer: requests.Response, start: str) -> Finding | None:
    if answer.status_code == 400:
        return broken("address", f"{start}: 400", f"add {urlsplit(start).hostname} to ALLOWED_HOSTS")
    if answer.status_code != 200 or 'rel="manifest"' not in answer.text:
        return broken("address", f"{answer.url}: {answer.status_code}, and not a page of this site", _ADVICE_BASE_PATH)
    if f'href="{settings.BASE_PATH}/manifest.webmanifest"' not in answer.text:
        return broken(
            "address", f"{start} has another BASE_PATH than {settings.BASE_PATH or '(none)'}", _ADVICE_BASE_PATH
        )
    if not urlsplit(answer.url).path.startswith(urlsplit(start).path):
        return broken("address", f"{start} leads away, to {answer.url}", _ADVICE_BASE_PATH)
    if date := answer.headers.get("Date"):
        differs = abs(parsedate_to_datetime(date).timestamp() - time.time())
        if differs > CLOCK_SECONDS:
            return broken("address", f"its clock differs from this machine's by {differs:.0f} s", "set the clocks")
    return None
