"""Whether a server is proxied, and the token of its plug-in."""

import catalog.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0014_recording_gain'),
    ]

    operations = [
        migrations.AddField(
            model_name='musicserver',
            name='is_proxied',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='proxied'),
        ),
        migrations.AddField(
            model_name='musicserver',
            name='plugin_digest',
            field=catalog.fields.ExactCharField(blank=True, db_default='', default='', editable=False, max_length=64),
        ),
    ]
