from django.db import migrations, models


class Migration(migrations.Migration):
    """Listeners may turn off the emails about new devices and access tokens; those there are get them."""

    dependencies = [
        ("accounts", "0008_token_expiry"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="wants_security_emails",
            field=models.BooleanField(
                db_default=True, default=True, verbose_name="emails about new devices and access tokens"
            ),
        ),
    ]
