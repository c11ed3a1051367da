"""`docs/contributing/walks.md`: the functions it lists are called, in this order, and are as many as it says."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from catalog.models import Track
from feedback.ratings.services import rate
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[3]
WALKS = (ROOT / "docs/contributing/walks.md").read_text("utf-8").split("\n## ")[1:]
LINE = re.compile(r"^\| `(?P<function>[\w.]+)` \| `(?P<file>[\w./]+)` \|", re.MULTILINE)
COUNTS = re.compile(r": (\d+) functions in (\d+) rooms\.")
ROOMS = ("catalog/importing", "recommender/pages")
"""Rooms with folders of their own."""


def steps(walk: str) -> list[tuple[str, str]]:
    """Return function and file of each line of a table."""
    return [(match["function"], match["file"]) for match in LINE.finditer(walk)]


def calls_of(work: Callable[[], Any]) -> dict[tuple[str, str], int]:
    """Return when each function of the project was first called."""
    calls: dict[tuple[str, str], int] = {}

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(ROOT)):
            file = str(Path(frame.f_code.co_filename).relative_to(ROOT))
            calls.setdefault((frame.f_code.co_qualname, file), len(calls))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


def check(walk: str, calls: dict[tuple[str, str], int]) -> None:
    listed = steps(walk)
    assert [step for step in listed if step not in calls] == []
    assert sorted(listed, key=calls.__getitem__) == listed


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.partition("\n")[0])
def test_says_how_many_functions_and_rooms_there_are(walk: str) -> None:
    rooms = set()
    for _function, file in steps(walk):
        folder = str(Path(file).parent)
        rooms.add(next((room for room in ROOMS if folder.startswith(room)), folder))
    counts = COUNTS.search(walk)
    assert counts is not None
    assert [int(count) for count in counts.groups()] == [len(steps(walk)), len(rooms)]


def test_one_like(client: Client) -> None:
    # Who is a test listener follows from the id: with some ids too few would be left for a ranker.
    tracks, user = make_catalogue(), make_user(pk=500)
    for number in range(60):
        other = make_user(f"other{number}", pk=1 + number)
        for track in tracks[number % 2 * 20 :][: 20 : 1 + number % 3][:8]:
            rate(user=other, track=track, value=1)
    rate(user=user, track=tracks[3], value=1)
    call_command("retrain", verbosity=0)
    client.force_login(user)
    shown = client.get("/").context["sections"][0].items[0].track
    url = reverse("recommender:rate_in_section", args=["made", shown.pk])
    check(WALKS[0], calls_of(lambda: client.post(url, {"value": "1"}, headers={"HX-Request": "true"})))


def test_one_csv_row(tmp_path: Path) -> None:
    path = tmp_path / "songs.csv"
    path.write_text("track_id,track_name,artists,popularity\n5SuOikwiRyPMVoIQDJUgSV,Comedy,Gen Hoshino,73\n")
    calls = calls_of(lambda: call_command("import_tracks", str(path), verbosity=0))
    assert Track.objects.get().title == "Comedy"
    check(WALKS[1], calls)
