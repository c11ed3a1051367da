"""Names of tables as people read them."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('recommender', '0003_sections_and_wrong_reasons'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='recommendation',
            options={'ordering': ['-created_at', 'position'], 'verbose_name': 'song recommended', 'verbose_name_plural': 'songs recommended'},
        ),
    ]
