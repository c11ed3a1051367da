"""Find the plays that earlier imports took in twice, and say how many there are; nothing is changed here.

They are shown under History, where each listener can remove them and put them back, and by
``manage.py history_doubles``.
"""

from django.db import migrations


def find(apps, schema_editor):
    from feedback.plays.doubles import double_ids

    play = apps.get_model("feedback", "Play")
    users = play.objects.exclude(source="site").order_by().values_list("user_id", flat=True).distinct()
    counts = [len(double_ids(play.objects.filter(user_id=user))) for user in users]
    if any(counts):
        listeners = sum(1 for count in counts if count)
        print(
            f"\n  Found {sum(counts):,} duplicate plays of {listeners:,} listeners. Remove them on the import page or with "
            "manage.py history_doubles --remove (--put-back restores them).",
            end="",
        )


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0010_listens'),
    ]

    operations = [
        migrations.RunPython(find, migrations.RunPython.noop),
    ]
