"""What comes of the histories among the small inputs that once went wrong.

`benchmarks.imports.import_inputs` prints it.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path


def import_history(paths: Sequence[Path]) -> str:
    """Return what became of the files: by import the counts, notes and reasons, and all plays at the end."""
    from django.test import override_settings

    from accounts.models import User
    from catalog.models import Track
    from feedback.plays.models import Play

    listener = User.objects.create_user(username="listener", email="listener@example.org")
    with tempfile.TemporaryDirectory() as folder, override_settings(VAR_DIR=Path(folder)):
        lines = [_brought(listener, path) for path in paths]
    plays = Play.objects.filter(user=listener).select_related("track").order_by("played_at", "pk")
    lines.append(f"{len(plays)} plays of {Track.objects.filter(plays__user=listener).distinct().count()} songs")
    shown = [*plays[:2], *list(plays)[2:][-1:]]
    lines += [f"{play.played_at:%Y-%m-%d %H:%M:%S} {play.track}" for play in shown]
    return "; ".join(lines)


def _brought(listener: "object", path: Path) -> str:
    from django.core.files.base import ContentFile

    from accounts.models import User
    from feedback.history_import import services
    from feedback.history_import.notes import told_notes
    from jobs.tests.helpers import run_waiting

    assert isinstance(listener, User)
    upload = ContentFile(path.read_bytes(), name=path.name)
    history = services.begin_import(user=listener, upload=upload, wants_own_songs=True)
    run_waiting()
    history.refresh_from_db()
    if history.question:
        question = f"asked about day and month ({', '.join(history.question['examples'])}), answered “day”: "
        services.answer_question(history=history, order="day")
        run_waiting()
        history.refresh_from_db()
    else:
        question = ""
    if history.error:
        return f"{question}failed: {history.error_text}"
    known = f"{history.plays_known} there ({history.plays_known_elsewhere} from another source)"
    counts = f"{history.format}: {history.plays_added} added, {known}, {history.plays_skipped} left out"
    return "; ".join(
        [question + counts, *told_notes(history), *(f"{n} {reason}" for reason, n in sorted(history.skipped.items()))]
    )
