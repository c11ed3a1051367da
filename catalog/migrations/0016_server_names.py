"""What listeners see of a music server."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0015_proxied_servers'),
    ]

    operations = [
        migrations.AddField(
            model_name='musicserver',
            name='name',
            field=models.CharField(blank=True, db_default='', default='', help_text='What listeners see of it.', max_length=60, verbose_name='name'),
        ),
    ]
