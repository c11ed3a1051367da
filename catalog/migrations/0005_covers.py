"""Covers of songs found on Spotify; features from a source of the operator's own."""

from importlib import import_module

import django.core.validators
from django.db import migrations, models

# The triggers that keep the search index (0002).
TRIGGERS = [
    statement
    for statement in import_module("catalog.migrations.0002_search_index").SQLITE_FORWARD
    if statement.startswith("CREATE TRIGGER")
]


def keep_search_index(apps, schema_editor):
    """Make the triggers again: for a constraint SQLite gets a new table in place of the old one, and they go with it."""
    if schema_editor.connection.vendor == "sqlite":
        for statement in TRIGGERS:
            schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_sound_columns'),
    ]

    operations = [
        migrations.AddField(
            model_name='track',
            name='cover_url',
            field=models.URLField(blank=True, db_default='', validators=[django.core.validators.RegexValidator('^https://i\\.scdn\\.co/', "A picture on Spotify's host i.scdn.co.")], verbose_name='cover'),
        ),
        migrations.AlterField(
            model_name='track',
            name='features_origin',
            field=models.CharField(blank=True, choices=[('', 'none'), ('csv', 'from the imported file'), ('demo', 'invented for the demo'), ('operator', 'entered by hand'), ('estimated', 'estimated from similar songs'), ('spotify', 'from Spotify'), ('source', "from this site's own source")], default='', max_length=10, verbose_name='origin of the features'),
        ),
        migrations.RunPython(migrations.RunPython.noop, keep_search_index),
        migrations.AddConstraint(
            model_name='track',
            constraint=models.CheckConstraint(condition=models.Q(('cover_url', ''), ('cover_url__startswith', 'https://i.scdn.co/'), _connector='OR'), name='track_cover_host'),
        ),
        migrations.RunPython(keep_search_index, migrations.RunPython.noop),
    ]
