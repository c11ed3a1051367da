"""The heartbeat under its name; its column and index stay as they are."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0002_plain_words'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex('job', 'job_by_state'),
                migrations.RenameField('job', 'beat_at', 'heartbeat_at'),
                migrations.AlterField(
                    'job',
                    'heartbeat_at',
                    models.DateTimeField(blank=True, db_column='beat_at', null=True, verbose_name='last heartbeat'),
                ),
                migrations.AddIndex(
                    'job', models.Index(fields=['state', 'heartbeat_at'], name='job_by_state')
                ),
            ],
        ),
    ]
