"""Whom the songs of a blend are for, and why, as one member may read it.

One's own reasons are the whole ones. Of the others each member sees no more than they agreed to: that a song is for
them, and which kind of thing raised its score most, but no song, artist or genre that they like or heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from recommender.models import BlendFit, BlendSong
from recommender.pages.explanations.phrases import Names, StoredReason, sentence

_SIMILAR = gettext_noop("because people with similar taste like it")
KINDS = {
    "artist": gettext_noop("because of its artist"),
    "album": gettext_noop("because of its album"),
    "genre": gettext_noop("because of its genre"),
    "audio": gettext_noop("because of its sound"),
    "era": gettext_noop("because of its era"),
    "popularity": gettext_noop("because it's popular"),
    "collaborative": _SIMILAR,
    "item_to_item": _SIMILAR,
    "preference": _SIMILAR,
}
"""What a term is called to other members."""


@dataclass(frozen=True)
class BlendRow:
    """A song with the members whom it is for.

    ``own``: the viewer's own reason, empty where it is not for them or has no words. ``others``: names of other members
    by the kind of their reason (a key of ``KINDS``, or empty).
    """

    song: BlendSong
    is_own: bool
    own: str
    others: dict[str, list[str]]

    @property
    def reason(self) -> str:
        """Return who the song is for and why, in one line."""
        parts = []
        if self.is_own:
            parts.append(_("For you: %(reason)s") % {"reason": self.own} if self.own else _("For you"))
        for kind, names in self.others.items():
            joined = get_text_list(names, _("and"))
            if kind:
                parts.append(_("For %(names)s, %(reason)s") % {"names": joined, "reason": _(KINDS[kind])})
            else:
                parts.append(_("For %(names)s") % {"names": joined})
        return " · ".join(parts)


def rows_for(viewer: User, songs: Sequence[BlendSong]) -> list[BlendRow]:
    """Return the songs as ``viewer`` may see them; three queries, for the names in their own reasons."""
    own = {song.pk: fit.reason for song in songs for fit in song.fits.all() if fit.member.user_id == viewer.pk}
    names = Names.of(own.values())
    rows = []
    for song in songs:
        reason = own.get(song.pk)
        others: dict[str, list[str]] = {}
        for fit in song.fits.all():
            if fit.member.user_id != viewer.pk:
                others.setdefault(kind_of(fit), []).append(fit.member.user.username)
        text = sentence(reason, names, max_parts=1) if reason else ""
        rows.append(BlendRow(song, song.pk in own, text, others))
    return rows


def kind_of(fit: BlendFit) -> str:
    """Return the term that raised the song's score most and is a reason for it, a key of ``KINDS``; else empty."""
    reason: StoredReason = fit.reason
    for cause in reason["causes"]:
        if cause["value"] > 0 and cause.get("stance") not in ("disliked", "skipped") and cause["term"] in KINDS:
            return cause["term"]
    return ""
