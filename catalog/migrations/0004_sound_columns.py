"""Columns for the audio features that songs are found by, and one index that holds them all."""

from django.db import migrations, models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

import catalog.fields

COLUMNS = ("tempo", "energy", "valence", "danceability", "acousticness", "instrumentalness")


def fill(apps, schema_editor):
    track = apps.get_model("catalog", "Track")
    track.objects.update(**{name: Cast(KT(f"features__{name}"), models.FloatField()) for name in COLUMNS})


def order_unknown_last(apps, schema_editor):
    """Let PostgreSQL read the index in the order of popularity that pages ask for."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX track_browse_sound")
        schema_editor.execute(
            "CREATE INDEX track_browse_sound ON catalog_track "
            f"(is_active, popularity DESC NULLS LAST, id, release_year, {', '.join(COLUMNS)})"
        )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_private_songs")]

    operations = [
        *(migrations.AddField("track", name, catalog.fields.FeatureColumn(editable=False, null=True)) for name in COLUMNS),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="track",
            index=models.Index(
                fields=["is_active", "-popularity", "id", "release_year", *COLUMNS], name="track_browse_sound"
            ),
        ),
        migrations.RunPython(order_unknown_last, migrations.RunPython.noop),
    ]
