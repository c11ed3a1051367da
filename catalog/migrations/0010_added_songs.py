"""Which listener added a song that was found on Spotify. Songs that are there already belong to nobody."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0009_recording_keys'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AddedSong',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('track', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='added_by', to='catalog.track')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='added_songs', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'song added from Spotify',
                'verbose_name_plural': 'songs added from Spotify',
                'ordering': ['user', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('user', 'track'), name='added_song_once')],
            },
        ),
    ]
