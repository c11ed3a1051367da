import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Tokens of players, and what players tell."""

    dependencies = [
        ('catalog', '0009_recording_keys'),
        ('feedback', '0015_scrobble_source'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='OldProtocols',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='old_protocols', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'old protocols',
                'verbose_name_plural': 'old protocols',
            },
        ),
        migrations.CreateModel(
            name='ScrobbledSong',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.BigIntegerField(editable=False)),
                ('name_digest', models.BigIntegerField(editable=False)),
                ('title', models.CharField(max_length=500)),
                ('artist', models.CharField(max_length=300)),
                ('album', models.CharField(blank=True, max_length=500)),
                ('mbid', models.CharField(blank=True, default='', max_length=36, verbose_name='MusicBrainz ID')),
                ('duration_ms', models.PositiveIntegerField(blank=True, null=True)),
                ('is_by_hand', models.BooleanField(default=False, help_text='Whether the listener chose the song.')),
                ('love', models.SmallIntegerField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('track', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='scrobbled_songs', to='catalog.track')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scrobbled_songs', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'scrobbled song',
                'verbose_name_plural': 'scrobbled songs',
                'ordering': ['title', 'id'],
            },
        ),
        migrations.CreateModel(
            name='ScrobbleKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='The player or server, for example “Navidrome”.', max_length=60, verbose_name='name')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('old_digest', models.CharField(blank=True, db_default='', default='', editable=False, max_length=32)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('last_client', models.CharField(blank=True, db_default='', default='', editable=False, max_length=60)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scrobble_keys', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'player token',
                'verbose_name_plural': 'player tokens',
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Scrobble',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client', models.CharField(blank=True, default='', max_length=60)),
                ('digest', models.BigIntegerField(editable=False)),
                ('listened_at', models.DateTimeField()),
                ('started_at', models.DateTimeField()),
                ('is_exact', models.BooleanField(default=False, help_text='Whether the start is known to some seconds.')),
                ('duration_ms', models.PositiveIntegerField(blank=True, null=True)),
                ('ms_played', models.PositiveIntegerField(blank=True, null=True)),
                ('is_skip', models.BooleanField(default=False)),
                ('is_origin', models.BooleanField(default=False)),
                ('is_waiting', models.BooleanField(default=False, help_text='Whether it waits for a song that matches.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('play', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='scrobbles', to='feedback.play')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scrobbles', to=settings.AUTH_USER_MODEL)),
                ('song', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scrobbles', to='feedback.scrobbledsong')),
                ('key', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='scrobbles', to='feedback.scrobblekey')),
            ],
            options={
                'verbose_name': 'scrobble',
                'verbose_name_plural': 'scrobbles',
                'ordering': ['-listened_at', '-id'],
            },
        ),
        migrations.AddIndex(
            model_name='scrobbledsong',
            index=models.Index(fields=['user', 'name_digest'], name='scrobbled_song_by_name'),
        ),
        migrations.AddIndex(
            model_name='scrobbledsong',
            index=models.Index(fields=['user', 'mbid'], name='scrobbled_song_by_mbid'),
        ),
        migrations.AddConstraint(
            model_name='scrobbledsong',
            constraint=models.UniqueConstraint(fields=('user', 'digest'), name='scrobbled_song_once'),
        ),
        migrations.AddConstraint(
            model_name='scrobbledsong',
            constraint=models.CheckConstraint(condition=models.Q(('love__isnull', True), ('love__in', [-1, 1]), _connector='OR'), name='scrobbled_song_love'),
        ),
        migrations.AddConstraint(
            model_name='scrobblekey',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='scrobble_key_name_not_empty'),
        ),
        migrations.AddIndex(
            model_name='scrobble',
            index=models.Index(fields=['user', 'is_waiting', 'song'], name='scrobble_waiting'),
        ),
        migrations.AddConstraint(
            model_name='scrobble',
            constraint=models.UniqueConstraint(fields=('user', 'digest'), name='scrobble_once'),
        ),
    ]
