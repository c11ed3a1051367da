"""Comparisons from the log: parsing what operators ask for, and wording the results."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recommender.adapters.loaded import LoadedModel
from recommender.engine.evaluation import Doubt
from recommender.lifecycle.log_comparison import BASELINES, HEADLINE, Policy
from recommender.lifecycle.versions import UnusableModelError, load_evaluation_model
from recommender.models import ModelVersion

PER_PAGES = 1000
_POLICY = re.compile(r"(?P<who>\d{1,9}|popularity|random)(@(?P<dial>\d(\.\d+)?))?", re.ASCII)


class PolicyError(ValueError):
    """The name stands for no policy, or one that cannot be judged; the message is in the operator's language."""


def read_policies(texts: Sequence[str]) -> list[Policy]:
    """Return the policies named ``14``, ``14@0.5`` (at a setting of the dial), ``popularity`` or ``random``.

    The baselines ask the first version that is named, else the active one, for its catalogue.

    Raises:
        PolicyError: one is not of this form, is named twice or its version cannot be used.
    """
    matches = [_match(text) for text in texts]
    # 1@0.5 and 01@0.50 are the same.
    if len({(match["who"].lstrip("0"), match["dial"] and float(match["dial"])) for match in matches}) < len(matches):
        raise PolicyError(_("The same policy is named twice."))
    first = next((match["who"] for match in matches if match["who"] not in BASELINES), None)
    loaded = {who: _loaded(who) for who in dict.fromkeys(match["who"] for match in matches) if who not in BASELINES}
    base = loaded[first] if first else _loaded(None)
    policies = []
    for match in matches:
        dial = float(match["dial"]) if match["dial"] else None
        if match["who"] in BASELINES:
            policies.append(Policy(match.group(), base, BASELINES[match["who"]]))
        else:
            policies.append(Policy(match.group(), loaded[match["who"]], dial=dial))
    return policies


def _match(text: str) -> re.Match[str]:
    match = _POLICY.fullmatch(text)
    if match is None or (match["dial"] and (float(match["dial"]) > 1 or match["who"] in BASELINES)):
        message = _("%(text)s: expected a version (14), one at a setting of the dial (14@0.5), popularity or random.")
        raise PolicyError(message % {"text": text})
    return match


def _loaded(number: str | None) -> LoadedModel:
    versions = ModelVersion.objects.filter(pk=int(number)) if number else ModelVersion.objects.filter(active_slot=True)
    version = versions.first()
    if version is None:
        raise PolicyError(
            _("There is no version %(number)s. See: manage.py models list") % {"number": number}
            if number
            else _("No version is active yet. See: manage.py retrain")
        )
    try:
        return load_evaluation_model(version)
    except UnusableModelError as error:
        message = _("Version %(number)s can't be judged without its model for the test listeners: %(error)s")
        raise PolicyError(message % {"number": version.pk, "error": error}) from error


Figures: TypeAlias = Mapping[str, Any]
"""A comparison as `LogComparison.to_dict` gives it, and as ``ModelVersion.metrics`` keeps it."""


def sentences(figures: Figures) -> list[str]:
    """Return what was found, the first sentence about the log itself."""
    policies = figures["policies"].items()
    return [
        _about_log(figures),
        *(_about_policy(name, estimate, figures["reward"]) for name, estimate in policies),
        *(_about_difference(name, figures) for name in figures["differences"]),
    ]


def _about_log(figures: Figures) -> str:
    pages = ngettext("%(count)d page", "%(count)d pages", figures["pages"]) % {"count": figures["pages"]}
    number = figures["listeners"]
    listeners = ngettext("%(count)d listener", "%(count)d listeners", number) % {"count": number}
    message = (
        _("The log: %(pages)s of %(listeners)s; 1,000 such pages earned %(mean)s likes.")
        if figures["reward"] == "likes"
        else _("The log: %(pages)s of %(listeners)s; of 1,000 such pages, %(mean)s songs were played to the end.")
    )
    return message % {"pages": pages, "listeners": listeners, "mean": _whole(PER_PAGES * figures["logged"]["mean"])}


def _about_policy(name: str, estimate: Figures, reward: str) -> str:
    if estimate["not_enough"]:
        return _("%(name)s: not enough to tell (%(why)s).") % {"name": policy_name(name), "why": why_not(estimate)}
    message = (
        _("%(name)s: would have earned %(low)s to %(high)s likes on 1,000 pages, most likely %(mean)s.")
        if reward == "likes"
        else _("%(name)s: %(low)s to %(high)s songs played to the end on 1,000 pages, most likely %(mean)s.")
    )
    bounds = {bound: _whole(value) for bound, value in per_pages(estimate[HEADLINE]).items()}
    return message % {"name": policy_name(name), **bounds}


def _about_difference(name: str, figures: Figures) -> str:
    first = next(iter(figures["policies"]))
    names = {"name": policy_name(name), "other": policy_name(first)}
    if any(figures["policies"][one_of]["not_enough"] for one_of in (name, first)):
        return _("%(name)s against %(other)s: not enough to tell.") % names
    difference = per_pages(figures["differences"][name][HEADLINE])
    bounds = {bound: _whole(value, is_signed=True) for bound, value in difference.items()}
    if difference["low"] > 0:
        message = _("%(name)s would have earned more than %(other)s: %(low)s to %(high)s on 1,000 pages.")
    elif difference["high"] < 0:
        message = _("%(name)s would have earned less than %(other)s: %(low)s to %(high)s on 1,000 pages.")
    else:
        message = _("Between %(name)s and %(other)s the log sees no difference: %(low)s to %(high)s on 1,000 pages.")
    return message % (names | bounds)


def policy_name(name: str) -> str:
    """Return a policy's name as it is read: of a version, which is a number, with the word before it."""
    return _("Version %(number)s") % {"number": name} if name[0].isdigit() else name


def _whole(value: float, *, is_signed: bool = False) -> str:
    """Return a rounded number in the reader's notation."""
    number = round(value)
    return ("+" if is_signed and number >= 0 else "") + number_format(number, force_grouping=True)


def why_not(estimate: Figures) -> str:
    """Return why the log is not enough for a policy, in the operator's language."""
    words: dict[Doubt, str] = {
        "listeners": _("too few listeners"),
        "songs": _("it speaks for %(songs).0f songs only") % {"songs": estimate["effective_songs"]},
        "overlap": _("%(percent).0f %% of its songs had a chance to be shown") % {"percent": 100 * estimate["overlap"]},
        "rewards": _("too few answers"),
    }
    return "; ".join(words[doubt] for doubt in estimate["not_enough"])


def per_pages(interval: Figures) -> dict[str, float]:
    """Return an interval of rewards per page as one of rewards per ``PER_PAGES`` pages."""
    return {bound: PER_PAGES * interval[bound] for bound in ("mean", "low", "high")}


def since_of(text: str, now: datetime) -> datetime:
    """Return the moment that ``--since`` names: days back (``30``), or when a date (``2026-11-01``) began on the site.

    Raise ``ValueError``.
    """
    if re.fullmatch(r"\d{1,4}", text, re.ASCII):
        return now - timedelta(days=int(text))
    began = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.get_current_timezone())
    try:
        return began.astimezone(UTC)
    except OverflowError as error:
        # East of Greenwich the first day of all began before there is a time.
        raise ValueError(text) from error
