"""Number the activations of models, so that no clock decides which one serves."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def number_activations(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Number those there were by their times; the active one is the last whatever the times say."""
    versions = apps.get_model("recommender", "ModelVersion").objects
    activated = versions.filter(activated_at__isnull=False).order_by("activated_at", "pk")
    ordered = sorted(activated, key=lambda version: version.active_slot is True)
    for number, version in enumerate(ordered, start=1):
        versions.filter(pk=version.pk).update(activation=number)


class Migration(migrations.Migration):
    dependencies = [("recommender", "0005_plain_words")]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="activation",
            field=models.PositiveBigIntegerField(editable=False, null=True, unique=True),
        ),
        migrations.RunPython(number_activations, migrations.RunPython.noop),
    ]
