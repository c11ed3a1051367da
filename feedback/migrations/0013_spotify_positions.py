"""How far lists of Spotify's were read and playlists there were filled, so that both go on where they stopped."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0012_field_names'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='spotifybringing',
            name='positions',
            field=models.JSONField(blank=True, default=dict, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='spotifybringing',
            name='stalls',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='spotifyplaylist',
            name='error',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
        migrations.AddField(
            model_name='spotifyplaylist',
            name='is_sending',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name='spotifyplaylist',
            name='pending',
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='spotifyplaylist',
            name='stalls',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AlterField(
            model_name='spotifybringing',
            name='error',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
        migrations.CreateModel(
            name='SpotifyPlaylistImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('error', models.CharField(blank=True, db_default='', default='', max_length=500)),
                ('stalls', models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                ('spotify_id', models.CharField(max_length=64)),
                ('name', models.CharField(blank=True, max_length=100)),
                ('into', models.CharField(choices=[('likes', 'likes'), ('list', 'a playlist')], max_length=10)),
                ('position', models.JSONField(blank=True, editable=False, null=True)),
                ('total', models.PositiveIntegerField(default=0)),
                ('songs_read', models.PositiveIntegerField(default=0)),
                ('unreadable', models.PositiveIntegerField(default=0)),
                ('matched', models.PositiveIntegerField(default=0)),
                ('added', models.PositiveIntegerField(default=0)),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('playlist', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='feedback.playlist')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='spotify_playlist_imports', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'imported Spotify playlist',
                'verbose_name_plural': 'imported Spotify playlists',
                'ordering': ['-requested_at', '-id'],
                'constraints': [models.UniqueConstraint(fields=('user', 'spotify_id', 'into'), name='spotify_playlist_import_once')],
            },
        ),
    ]
