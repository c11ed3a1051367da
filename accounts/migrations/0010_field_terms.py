"""A model and two columns under the field's terms; tables and columns of the database stay as they are."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_security_emails'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel('KeptAnswer', 'StoredResponse'),
                migrations.AlterModelTable('storedresponse', 'accounts_keptanswer'),
                migrations.RenameField('storedresponse', 'answer', 'response'),
                migrations.AlterField(
                    'storedresponse', 'response', models.JSONField(db_column='answer', default=dict)
                ),
                migrations.AlterField(
                    'storedresponse',
                    'user',
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name='stored_responses',
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.RenameField('ratecount', 'whole_at', 'tat'),
                migrations.AlterField(
                    'ratecount', 'tat', models.BigIntegerField(db_column='whole_at', db_index=True)
                ),
            ],
        ),
    ]
