"""Listens: which listing told a play, what was removed as a double, and what an import asks and notes."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0005_covers'),
        ('feedback', '0009_plain_words'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='historyimport',
            name='date_orders',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='historyimport',
            name='notes',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='historyimport',
            name='plays_known_elsewhere',
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='historyimport',
            name='question',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='play',
            name='listing',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=20),
        ),
        migrations.CreateModel(
            name='RemovedDouble',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('played_at', models.DateTimeField()),
                ('ms_played', models.PositiveIntegerField(blank=True, null=True)),
                ('outcome', models.CharField(choices=[('started', 'started'), ('completed', 'completed'), ('skipped', 'skipped')], max_length=10)),
                ('source', models.CharField(choices=[('site', 'this site'), ('spotify', 'Spotify'), ('history', "the listener's own history")], max_length=10)),
                ('is_counted', models.BooleanField(default=True)),
                ('token', models.UUIDField(blank=True, null=True)),
                ('digest', models.BigIntegerField(blank=True, editable=False, null=True)),
                ('listing', models.CharField(blank=True, default='', editable=False, max_length=20)),
                ('removed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('history_import', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='removed_doubles', to='feedback.historyimport')),
                ('kept', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='removed_doubles', to='feedback.play')),
                ('track', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='removed_doubles', to='catalog.track')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='removed_doubles', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'removed duplicate',
                'verbose_name_plural': 'removed duplicates',
                'ordering': ['-removed_at', '-id'],
            },
        ),
    ]
