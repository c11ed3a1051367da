"""The import from Spotify under its name; its table stays as it is."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0016_scrobbling'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel('SpotifyBringing', 'SpotifyImport'),
                migrations.AlterModelTable('spotifyimport', 'feedback_spotifybringing'),
                migrations.AlterField(
                    'spotifyimport',
                    'user',
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name='spotify_import',
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
