"""An email before a connection expires, for those who said yes to it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts_spotify', '0002_plain_words'),
    ]

    operations = [
        migrations.AddField(
            model_name='spotifyaccount',
            name='emailed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='spotifyaccount',
            name='wants_email',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
