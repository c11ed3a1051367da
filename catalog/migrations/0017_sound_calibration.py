"""Calibrations of measured sound."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0016_server_names'),
    ]

    operations = [
        migrations.CreateModel(
            name='SoundCalibration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.CharField(max_length=20, verbose_name='version')),
                ('pairs', models.PositiveIntegerField(verbose_name='songs it was fitted on')),
                ('columns', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='fitted')),
            ],
            options={
                'verbose_name': 'sound calibration',
                'verbose_name_plural': 'sound calibrations',
                'ordering': ['-pk'],
            },
        ),
        migrations.AddField(
            model_name='soundanalysis',
            name='estimates',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='soundanalysis',
            name='calibration',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='analyses', to='catalog.soundcalibration'),
        ),
    ]
