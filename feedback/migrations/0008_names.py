"""Names of tables as people read them."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('feedback', '0007_spotify_bringing'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='artistpreference',
            options={'ordering': ['artist__search_name'], 'verbose_name': 'artist picked', 'verbose_name_plural': 'artists picked'},
        ),
        migrations.AlterModelOptions(
            name='genrepreference',
            options={'ordering': ['genre__name'], 'verbose_name': 'genre picked', 'verbose_name_plural': 'genres picked'},
        ),
        migrations.AlterModelOptions(
            name='historyimport',
            options={'ordering': ['-id'], 'verbose_name': 'history brought along', 'verbose_name_plural': 'histories brought along'},
        ),
        migrations.AlterModelOptions(
            name='playlistitem',
            options={'ordering': ['playlist', 'position'], 'verbose_name': 'song in a playlist', 'verbose_name_plural': 'songs in playlists'},
        ),
        migrations.AlterModelOptions(
            name='playqueue',
            options={'verbose_name': "player's queue", 'verbose_name_plural': "players' queues"},
        ),
        migrations.AlterModelOptions(
            name='queueitem',
            options={'ordering': ['queue', 'position'], 'verbose_name': 'song in a queue', 'verbose_name_plural': 'songs in queues'},
        ),
        migrations.AlterModelOptions(
            name='rating',
            options={'ordering': ['-updated_at', '-id'], 'verbose_name': 'like or dislike', 'verbose_name_plural': 'likes and dislikes'},
        ),
        migrations.AlterModelOptions(
            name='spotifybringing',
            options={'ordering': ['-consented_at'], 'verbose_name': 'songs brought from Spotify', 'verbose_name_plural': 'songs brought from Spotify'},
        ),
        migrations.AlterModelOptions(
            name='spotifyplaylist',
            options={'ordering': ['kind'], 'verbose_name': 'playlist kept at Spotify', 'verbose_name_plural': 'playlists kept at Spotify'},
        ),
        migrations.AlterModelOptions(
            name='tasteadjustment',
            options={'ordering': ['-created_at', '-id'], 'verbose_name': 'taste turned up or down', 'verbose_name_plural': 'tastes turned up or down'},
        ),
        migrations.AlterModelOptions(
            name='tasteexclusion',
            options={'ordering': ['-created_at', '-id'], 'verbose_name': 'exclusion from the taste', 'verbose_name_plural': 'exclusions from the taste'},
        ),
        migrations.AlterModelOptions(
            name='unmatchedsong',
            options={'ordering': ['-plays', 'id'], 'verbose_name': 'song of a history not known here', 'verbose_name_plural': 'songs of histories not known here'},
        ),
    ]
