import unicodedata
from typing import Any

import catalog.fields
from django.db import migrations, models


def fill(apps: Any, schema_editor: Any) -> None:
    """Give each confirmed account its key; of several of one name on a server, the first."""
    accounts = apps.get_model("feedback", "ServerAccount").objects.using(schema_editor.connection.alias)
    known: set[tuple[int, str]] = set()
    for account in accounts.exclude(confirmed_user=None).order_by("confirmed_at", "pk").iterator():
        key = unicodedata.normalize("NFC", account.confirmed_user).casefold()
        if (account.server_id, key) not in known:
            known.add((account.server_id, key))
            accounts.filter(pk=account.pk).update(confirmed_key=key)


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0021_server_marks'),
    ]

    operations = [
        migrations.AddField(
            model_name='serveraccount',
            name='confirmed_key',
            field=catalog.fields.ExactCharField(blank=True, editable=False, max_length=600, null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='serveraccount',
            constraint=models.UniqueConstraint(fields=('server', 'confirmed_key'), name='server_account_of_one_name'),
        ),
    ]
