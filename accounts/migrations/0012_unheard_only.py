"""Whether a listener wants only songs that are new to them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0011_recordings_only'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='unheard_only',
            field=models.BooleanField(db_default=False, default=False, help_text='Whether only songs may be recommended that the listener has neither played nor rated.', verbose_name='only new songs'),
        ),
    ]
