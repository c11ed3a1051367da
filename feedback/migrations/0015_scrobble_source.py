import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Feedback may come from players."""

    dependencies = [
        ('feedback', '0014_playback_state'),
    ]

    operations = [
        migrations.AlterField(
            model_name='play',
            name='source',
            field=models.CharField(choices=[('site', 'this site'), ('spotify', 'Spotify'), ('history', "the listener's own history"), ('scrobble', 'your players')], default='site', max_length=10),
        ),
        migrations.AlterField(
            model_name='playlist',
            name='source',
            field=models.CharField(choices=[('site', 'this site'), ('spotify', 'Spotify'), ('history', "the listener's own history"), ('scrobble', 'your players')], default='site', max_length=10),
        ),
        migrations.AlterField(
            model_name='rating',
            name='source',
            field=models.CharField(choices=[('site', 'this site'), ('spotify', 'Spotify'), ('history', "the listener's own history"), ('scrobble', 'your players')], default='site', max_length=10),
        ),
        migrations.AlterField(
            model_name='removeddouble',
            name='source',
            field=models.CharField(choices=[('site', 'this site'), ('spotify', 'Spotify'), ('history', "the listener's own history"), ('scrobble', 'your players')], max_length=10),
        ),
    ]
