"""The private parts of Django and WhiteNoise that the site's pages need."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from spotify_rec.web.compat import MODULE_IMPORTS, SitePathCookieStorage, hand_over

TRIED = {"Django": ("5.2",), "whitenoise": ("6.12",)}
"""Versions that the suite passed with; after an upgrade run it, then add the new one."""


@pytest.mark.parametrize("name", TRIED)
def test_the_version_was_tried(name: str) -> None:
    assert version(name).startswith(tuple(f"{tried}." for tried in TRIED[name]))


@pytest.mark.parametrize(
    ("line", "renamed"),
    [
        ("import {a} from './a.js';", 'import {a} from "./a.1.js";'),
        ("export {a} from './a.js';", 'export {a} from "./a.1.js";'),
        ("import './a.js';", 'import"./a.1.js";'),
        ("import('./a.js')", 'import("./a.1.js")'),
    ],
)
def test_imports_of_modules_are_recognised(line: str, renamed: str) -> None:
    matches = [(text, match) for pattern, text in MODULE_IMPORTS if (match := re.search(pattern, line))]
    assert [text % {**match.groupdict(), "url": "./a.1.js"} for text, match in matches] == [renamed]


def test_messages_lie_below_the_sites_own_path(rf: RequestFactory, settings: Settings) -> None:
    settings.SESSION_COOKIE_PATH = "/music/"
    # Django would write the cookie without our path if it called its own method by another name.
    assert callable(vars(CookieStorage)["_update_cookie"])
    storage, response = SitePathCookieStorage(rf.get("/")), HttpResponse()
    storage.add(20, "Saved.")
    storage.update(response)
    assert response.cookies["messages"]["path"] == "/music/"


@pytest.mark.django_db
def test_a_response_closes_what_the_one_before_it_holds() -> None:
    closed: list[str] = []

    old, new = HttpResponse(), HttpResponse()
    old._resource_closers.append(lambda: closed.append("held"))  # type: ignore[attr-defined]
    hand_over(old, new)
    new.close()
    assert closed == ["held"]
