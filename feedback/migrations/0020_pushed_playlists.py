"""Playlists that the site put on music servers."""

import catalog.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0019_server_accounts'),
    ]

    operations = [
        migrations.CreateModel(
            name='PushedPlaylist',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('playlist', 'playlist'), ('for_you', 'For you')], max_length=10, verbose_name='type')),
                ('number', models.PositiveBigIntegerField(default=0, editable=False)),
                ('label', models.CharField(blank=True, editable=False, max_length=100)),
                ('is_renewed', models.BooleanField(default=False, verbose_name='keep up to date')),
                ('remote_id', catalog.fields.ExactCharField(blank=True, editable=False, max_length=255)),
                ('name', models.CharField(blank=True, editable=False, max_length=150, verbose_name='name')),
                ('digest', catalog.fields.ExactCharField(blank=True, editable=False, max_length=32)),
                ('song_count', models.PositiveIntegerField(default=0, editable=False)),
                ('wanted_count', models.PositiveIntegerField(default=0, editable=False)),
                ('pushed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('error', models.TextField(blank=True, editable=False, verbose_name='last error')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pushed_playlists', to='feedback.serveraccount')),
                ('playlist', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='pushed', to='feedback.playlist')),
            ],
            options={
                'verbose_name': 'playlist on a music server',
                'verbose_name_plural': 'playlists on music servers',
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('account', 'kind', 'number'), name='pushed_playlist_once')],
            },
        ),
    ]
