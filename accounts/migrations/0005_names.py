"""Names of tables as people read them."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_private_session_and_time_zone'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='apitoken',
            options={'ordering': ['-created_at', '-id'], 'verbose_name': 'token for programs', 'verbose_name_plural': 'tokens for programs'},
        ),
        migrations.AlterModelOptions(
            name='keptanswer',
            options={'verbose_name': 'answer kept for a repeated call', 'verbose_name_plural': 'answers kept for repeated calls'},
        ),
    ]
