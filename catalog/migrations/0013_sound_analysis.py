"""What was measured of recordings."""

import catalog.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0012_songs_by_file'),
    ]

    operations = [
        migrations.AlterField(
            model_name='track',
            name='features_origin',
            field=models.CharField(blank=True, choices=[('', 'none'), ('csv', 'from the imported file'), ('demo', 'made up for the demo'), ('operator', 'entered by hand'), ('estimated', 'estimated from similar songs'), ('spotify', 'from Spotify'), ('source', "from this site's own data"), ('measured', 'measured from the recording')], default='', max_length=10, verbose_name='source of the features'),
        ),
        migrations.CreateModel(
            name='SoundAnalysis',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', catalog.fields.ExactCharField(max_length=32)),
                ('engine', models.CharField(max_length=20)),
                ('version', models.CharField(max_length=20, verbose_name='version')),
                ('state', models.CharField(choices=[('measured', 'measured'), ('empty', 'silent, short or noise'), ('broken', 'broken'), ('failed', 'failed')], max_length=10, verbose_name='status')),
                ('error', models.CharField(blank=True, max_length=200, verbose_name='error')),
                ('tempo', models.FloatField(blank=True, null=True, verbose_name='Tempo')),
                ('key', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='Key')),
                ('mode', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='Mode')),
                ('loudness', models.FloatField(blank=True, null=True, verbose_name='Loudness')),
                ('seconds_decoded', models.FloatField(blank=True, null=True)),
                ('embedding', models.JSONField(blank=True, default=list)),
                ('numbers', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='analysed')),
                ('server_song', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='analysis', to='catalog.serversong')),
            ],
            options={
                'verbose_name': 'sound analysis',
                'verbose_name_plural': 'sound analyses',
                'ordering': ['pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('key', None), ('key__lte', 11), _connector='OR'), name='sound_analysis_key_0_to_11'), models.CheckConstraint(condition=models.Q(('mode', None), ('mode__lte', 1), _connector='OR'), name='sound_analysis_mode_0_or_1')],
            },
        ),
    ]
