"""Keys of recordings that part more of what is not one, and of names that are one however they are written.

A part of a title such as "(Original Sin)" is no version of the song any more, "What?" is not "What!", "10²" is not "102",
and songs of "Magic" are not those of "MAGIC!"; a name is the same with the stroke that makes Arabic words longer.
Nothing but ``Artist.key`` and ``Track.recording_key`` changes, and both ways nothing is lost.
"""

import re
from hashlib import blake2b

from django.db import migrations

from catalog.duplicates.recordings import part_recordings
from catalog.identity.text import artist_key, base_title, fold_name, recording_key, told_recording_key

BATCH = 500
STROKE = "\u0640"
# A letter that folding leaves as it is, in its place.
STAND_IN = "\ua66e"
RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "0123456789")
REFOLDED = re.compile("\u0640|(?<=[0-9])[\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089]")
OLD_VERSION = re.compile(
    r"\b(?:remaster(?:ed)?|acoustic|live|remix(?:ed)?|mix|edit|version|demo|mono|stereo|instrumental|karaoke|unplugged|"
    r"reprise|bonus track|radio|session|sessions|re-?recorded|feat|ft|featuring|with|sped up|slowed|nightcore|cover|"
    r"extended|deluxe|explicit|clean|original|rework|bootleg|vip|a cappella|acapella)\b",
    re.IGNORECASE,
)
BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
TRAILING_FEAT = re.compile(r"\s+(?:feat|ft|featuring)\.?\s.*$", re.IGNORECASE)


def old_base_title(title):
    """Return what was a title's base before."""
    head, *tails = title.split(" - ")
    base = " - ".join([head, *(tail for tail in tails if not OLD_VERSION.search(tail))])
    base = BRACKETS.sub(lambda match: "" if OLD_VERSION.search(match[1]) else match[0], base)
    if "feat" in base.lower() or "ft" in base.lower():
        base = TRAILING_FEAT.sub("", base)
    return base.strip() or title


def old_fold_name(text):
    return fold_name(text.replace(STROKE, STAND_IN).translate(RAISED)).replace(STAND_IN, STROKE)


def old_digest(text):
    return blake2b(text.encode(), digest_size=16).hexdigest()


def old_artist_key(name):
    return old_digest(old_fold_name(name))


def old_recording_key(title, first_artist):
    return old_digest(f"{old_fold_name(old_base_title(title))}\n{old_fold_name(first_artist)}")


def renew(apps, schema_editor):
    track, credit = apps.get_model("catalog", "Track"), apps.get_model("catalog", "TrackArtist")
    rekey_artists(apps.get_model("catalog", "Artist"), old_artist_key, artist_key)
    first = first_artists(credit)
    keys = {
        pk: recording_key(title, first.get(pk, ""))
        for pk, title in track.objects.order_by("pk").values_list("pk", "title").iterator(2000)
        if is_refolded(title, first.get(pk, "")) or old_base_title(title) != base_title(title)
    }
    write(track, keys)
    parted = part_recordings(track_model=track, credit_model=credit)
    if keys or parted:
        print(
            f"\n  {len(keys)} songs were taken for versions of others by words in their titles, or by signs that are "
            f"none: they have keys of their own. {parted} more are told by signs, artist, or album and length"
        )


def restore(apps, schema_editor):
    track, credit = apps.get_model("catalog", "Track"), apps.get_model("catalog", "TrackArtist")
    first = first_artists(credit)
    keys = {}
    for pk, title, key in track.objects.order_by("pk").values_list("pk", "title", "recording_key").iterator(2000):
        artist = first.get(pk, "")
        is_changed = is_refolded(title, artist) or old_base_title(title) != base_title(title)
        if is_changed or key == told_recording_key(title, artist):
            keys[pk] = old_recording_key(title, artist)
    write(track, keys)
    rekey_artists(apps.get_model("catalog", "Artist"), artist_key, old_artist_key)


def is_refolded(*names):
    return any(not name.isascii() and REFOLDED.search(name) for name in names)


def first_artists(credit):
    credits = credit.objects.order_by("track_id", "-position")
    return dict(credits.values_list("track_id", "artist__name"))


def write(track, keys):
    rows = [track(pk=pk, recording_key=key) for pk, key in keys.items()]
    for start in range(0, len(rows), BATCH):
        track.objects.bulk_update(rows[start : start + BATCH], ["recording_key"])


def rekey_artists(model, before, after):
    """Give the artists whose names are folded otherwise the keys of ``after``, where nobody has them."""
    names = [row for row in model.objects.order_by("pk").values_list("pk", "name", "key") if is_refolded(row[1])]
    taken = set(model.objects.filter(key__in=[after(name) for _, name, _ in names]).values_list("key", flat=True))
    for pk, name, key in names:
        if key == before(name) and after(name) not in taken:
            taken.add(after(name))
            model.objects.filter(pk=pk).update(key=after(name))


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_search_words")]

    operations = [migrations.RunPython(renew, restore)]
