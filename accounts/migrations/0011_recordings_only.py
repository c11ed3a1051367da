"""Whether a listener wants only songs with a recording."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0010_field_terms'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='recordings_only',
            field=models.BooleanField(db_default=False, default=False, help_text='Whether only songs may be recommended whose recording this site has.', verbose_name='only songs with a recording'),
        ),
    ]
