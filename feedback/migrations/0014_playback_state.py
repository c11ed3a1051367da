from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether a listener's player plays, where in the song, since when, and on which device."""

    dependencies = [
        ("feedback", "0013_spotify_positions"),
    ]

    operations = [
        migrations.AddField(
            model_name="playqueue",
            name="is_playing",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="playqueue",
            name="song_ms",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="playqueue",
            name="song_ms_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="playqueue",
            name="device",
            field=models.CharField(blank=True, db_default="", default="", max_length=60),
        ),
    ]
