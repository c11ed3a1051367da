"""Usernames of letters with their marks in NFKC, and one account per look."""

import unicodedata

from django.db import migrations, models

import accounts.names
from accounts.names import look_alike_key


def fill(apps, schema_editor):
    """Give each name its look; of names that look alike the oldest account has it, and all accounts stay."""
    user = apps.get_model("accounts", "User")
    seen, alike, changed = set(), [], []
    names = set(user.objects.values_list("username", flat=True))
    for account in user.objects.order_by("pk").only("pk", "username").iterator():
        usual = unicodedata.normalize("NFKC", account.username).lower()
        if usual != account.username and usual not in names:
            account.username = usual
            names.add(usual)
        key = look_alike_key(account.username)
        account.look_alike = None if key in seen else key
        if key in seen:
            alike.append(account.username)
        seen.add(key)
        changed.append(account)
    for account in changed:
        user.objects.filter(pk=account.pk).update(username=account.username, look_alike=account.look_alike)
    if alike:
        print(f"\n  {len(alike)} usernames look like older ones; they stay: {', '.join(alike[:20])}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_plain_words")]

    operations = [
        migrations.AddField("user", "look_alike", accounts.names.LookAlikeField()),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            "user",
            "username",
            models.CharField(
                error_messages={"unique": "A user with that username already exists."},
                help_text="Letters, digits and . + - _",
                max_length=150,
                unique=True,
                validators=[accounts.names.UsernameValidator()],
                verbose_name="username",
            ),
        ),
    ]
