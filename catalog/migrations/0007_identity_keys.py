"""Keys of artists and recordings that keep the marks of every script and the signs names are told apart by.

Nothing but ``Artist.key`` and ``Track.recording_key`` changes, and both ways nothing is lost: an artist whose key of
before belongs to another by now keeps the one that it has. The code of before this finds by the new keys whom it found
by the old ones, but for the artists that it could not tell apart.
"""

import re
import unicodedata
from hashlib import blake2b

from django.db import migrations

from catalog.duplicates.recordings import part_recordings
from catalog.identity.text import artist_key, base_title, exact_artist_key, fold_name, is_folded_alike, recording_key

BATCH = 500
SHOWN = 10
OLD_CONTRACTION = re.compile("['\u2019\u02bc](?=[^\\W_]{1,2}\\b)")
OLD_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})


def old_fold(text):
    """Return what both keys were made of before."""
    text = OLD_CONTRACTION.sub("", text)
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(OLD_LETTERS))
    plain = "".join([sign for sign in decomposed if not unicodedata.combining(sign)])
    return re.sub(r"[\W_]+", " ", plain).strip() or " ".join(plain.split())


def old_digest(text):
    return blake2b(text.encode(), digest_size=16).hexdigest()


def old_artist_key(name):
    return old_digest(old_fold(name))


def old_recording_key(title, first_artist):
    return old_digest(f"{old_fold(base_title(title))}\n{old_fold(first_artist)}")


def renew(apps, schema_editor):
    artists = rekey_artists(apps.get_model("catalog", "Artist"), artist_key)
    songs, apart = rekey_songs(apps, recording_key)
    parted = part_recordings(track_model=apps.get_model("catalog", "Track"), credit_model=apps.get_model("catalog", "TrackArtist"))
    report(artists, songs, apart + parted)


def restore(apps, schema_editor):
    rekey_artists(apps.get_model("catalog", "Artist"), old_artist_key)
    rekey_songs(apps, old_recording_key, all_songs=True)


def rekey_artists(model, make_key):
    """Give artists the keys of ``make_key``; return the names of those that were changed."""
    rows = list(model.objects.order_by("pk").values_list("pk", "name", "key"))
    taken = {key for _, _, key in rows}
    changed = []
    for pk, name, key in rows:
        if is_folded_alike(name) and make_key is artist_key:
            continue
        new = make_key(name)
        if new == key or (make_key is artist_key and key == exact_artist_key(name)):
            continue
        if new in taken:
            continue
        taken.add(new)
        changed.append(model(pk=pk, name=name, key=new))
    for start in range(0, len(changed), BATCH):
        model.objects.bulk_update(changed[start : start + BATCH], ["key"])
    return [artist.name for artist in changed]


def rekey_songs(apps, make_key, all_songs=False):
    """Give songs the keys of ``make_key``; return how many were changed, and how many groups came apart."""
    track = apps.get_model("catalog", "Track")
    credits = apps.get_model("catalog", "TrackArtist").objects.order_by("track_id", "-position")
    first = dict(credits.values_list("track_id", "artist__name"))
    changed, groups, count = [], {}, 0
    for pk, title, key in track.objects.order_by("pk").values_list("pk", "title", "recording_key").iterator(2000):
        name = first.get(pk, "")
        if not all_songs and is_folded_alike(title) and is_folded_alike(name):
            continue
        new = make_key(title, name)
        groups.setdefault(key, set()).add(new)
        if new != key:
            changed.append(track(pk=pk, recording_key=new))
            count += 1
        if len(changed) == BATCH:
            track.objects.bulk_update(changed, ["recording_key"])
            changed = []
    track.objects.bulk_update(changed, ["recording_key"], batch_size=BATCH)
    return count, sum(len(keys) - 1 for keys in groups.values())


def report(artists, songs, apart):
    """Say what came apart, and what only the files it came from can part."""
    doubtful = [name for name in artists if _letters(fold_name(name)) > _letters(old_fold(name))]
    if apart:
        print(f"\n  {songs} songs have new keys: {apart} that were taken for versions of others are songs of their own now")
    if doubtful:
        shown = ", ".join(doubtful[:SHOWN]) + (", ..." if len(doubtful) > SHOWN else "")
        print(
            f"\n  {len(doubtful)} artists may stand for others, too, that were taken for the same ({shown}): importing the "
            "files again whose songs have ids gives each song its own"
        )


def _letters(name):
    # "&" between two words parts nobody from another in practice.
    return len(name.replace(" & ", "").replace(" ", ""))


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_plain_words")]

    operations = [migrations.RunPython(renew, restore)]
