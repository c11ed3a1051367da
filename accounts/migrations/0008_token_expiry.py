from django.db import migrations, models


class Migration(migrations.Migration):
    """Tokens may expire. Those there are stay valid until they are revoked."""

    dependencies = [
        ("accounts", "0007_look_alike_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="expires_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="valid until"),
        ),
    ]
