"""An index of the songs that have a recording."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0011_music_servers'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='track',
            index=models.Index(fields=['has_file'], name='track_by_file'),
        ),
    ]
