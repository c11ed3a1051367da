"""Two columns under names that say what they hold; the tables stay as they are."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0011_find_doubles'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField('queueitem', 'place', 'original_position'),
                migrations.AlterField(
                    'queueitem', 'original_position', models.PositiveIntegerField(db_column='place')
                ),
                migrations.RenameField('removeddouble', 'kept', 'counterpart'),
                migrations.AlterField(
                    'removeddouble',
                    'counterpart',
                    models.ForeignKey(
                        db_column='kept_id',
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name='removed_doubles',
                        to='feedback.play',
                    ),
                ),
            ],
        ),
    ]
