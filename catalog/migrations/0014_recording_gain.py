"""The gain of recordings, by their tags."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0013_sound_analysis'),
    ]

    operations = [
        migrations.AddField(
            model_name='serversong',
            name='gain_db',
            field=models.FloatField(blank=True, null=True),
        ),
    ]
