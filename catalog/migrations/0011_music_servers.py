"""Music servers and folders, what they have, and MusicBrainz ids."""

from importlib import import_module

import accounts.spotify.fields
import catalog.fields
import django.db.models.deletion
from django.db import migrations, models

keep_search_index = import_module("catalog.migrations.0005_covers").keep_search_index


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0010_added_songs'),
    ]

    operations = [
        # For a column that is never null SQLite gets a new table, and the triggers of the search index go with the old.
        migrations.RunPython(migrations.RunPython.noop, keep_search_index),
        migrations.AddField(
            model_name='artist',
            name='mbid',
            field=catalog.fields.ExactCharField(blank=True, db_default='', editable=False, max_length=36, verbose_name='MusicBrainz ID'),
        ),
        migrations.AddField(
            model_name='track',
            name='has_file',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='file'),
        ),
        migrations.AddField(
            model_name='track',
            name='mbid',
            field=catalog.fields.ExactCharField(blank=True, db_default='', db_index=True, editable=False, max_length=36, verbose_name='MusicBrainz ID'),
        ),
        migrations.RunPython(keep_search_index, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='track',
            name='origin',
            field=models.CharField(choices=[('csv', 'CSV import'), ('demo', 'made up for the demo'), ('operator', 'entered by hand'), ('spotify', 'found on Spotify'), ('server', 'on a music server or in a folder'), ('private', 'from an imported listening history')], default='operator', max_length=10, verbose_name='source'),
        ),
        migrations.CreateModel(
            name='MusicServer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('subsonic', 'music server'), ('folder', 'folder')], max_length=10, verbose_name='type')),
                ('address', catalog.fields.ExactCharField(max_length=500, unique=True, verbose_name='address')),
                ('username', models.CharField(blank=True, max_length=200, verbose_name='username')),
                ('secret', accounts.spotify.fields.EncryptedTextField(blank=True, editable=False)),
                ('is_api_key', models.BooleanField(default=False, verbose_name='with an API key')),
                ('is_active', models.BooleanField(default=True, help_text='Is it read and played from?', verbose_name='switched on')),
                ('abilities', models.JSONField(blank=True, default=dict, editable=False)),
                ('reading', models.PositiveIntegerField(default=0, editable=False)),
                ('read_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last read')),
                ('error', models.TextField(blank=True, editable=False, verbose_name='last error')),
            ],
            options={
                'verbose_name': 'music server',
                'verbose_name_plural': 'music servers',
                'ordering': ['pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('address', ''), _negated=True), name='music_server_address_not_empty')],
            },
        ),
        migrations.CreateModel(
            name='ServerSong',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('remote_id', catalog.fields.ExactCharField(max_length=255)),
                ('path', models.TextField(blank=True)),
                ('suffix', models.CharField(blank=True, max_length=10)),
                ('bit_rate', models.PositiveIntegerField(blank=True, null=True)),
                ('size', models.PositiveBigIntegerField(blank=True, null=True)),
                ('duration_ms', models.PositiveIntegerField(blank=True, null=True)),
                ('cover_id', catalog.fields.ExactCharField(blank=True, max_length=255)),
                ('release_mbid', catalog.fields.ExactCharField(blank=True, max_length=36)),
                ('digest', catalog.fields.ExactCharField(max_length=32)),
                ('reading', models.PositiveIntegerField()),
                ('gone_at', models.DateTimeField(blank=True, null=True)),
                ('server', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='songs', to='catalog.musicserver')),
                ('track', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='server_songs', to='catalog.track')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('server', 'remote_id'), name='server_song_once')],
            },
        ),
        migrations.CreateModel(
            name='TrackCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scheme', models.CharField(choices=[('isrc', 'ISRC'), ('mbid', 'MusicBrainz ID')], max_length=5)),
                ('value', catalog.fields.ExactCharField(max_length=36)),
                ('track', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='catalog.track')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('scheme', 'value', 'track'), name='track_code_once')],
            },
        ),
    ]
