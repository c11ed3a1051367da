"""Which account at a music server is a listener's."""

import accounts.spotify.fields
import catalog.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0016_server_names'),
        ('feedback', '0018_year_shares'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ServerAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('remote_user', catalog.fields.ExactCharField(max_length=200, verbose_name='username there')),
                ('secret', accounts.spotify.fields.EncryptedTextField(blank=True, editable=False)),
                ('is_api_key', models.BooleanField(default=False, verbose_name='with an API key')),
                ('confirmed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='confirmed')),
                ('confirmed_user', catalog.fields.ExactCharField(blank=True, editable=False, max_length=200, null=True)),
                ('error', models.TextField(blank=True, editable=False, verbose_name='last error')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('server', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='accounts', to='catalog.musicserver', verbose_name='music server')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='server_accounts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'account at a music server',
                'verbose_name_plural': 'accounts at music servers',
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('user', 'server'), name='server_account_once'), models.UniqueConstraint(fields=('server', 'confirmed_user'), name='server_account_of_one_listener'), models.CheckConstraint(condition=models.Q(('remote_user', ''), _negated=True), name='server_account_user_not_empty'), models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at', None), ('confirmed_user', None)), models.Q(('confirmed_at__isnull', False), ('confirmed_user__isnull', False), ('confirmed_user', models.F('remote_user'))), _connector='OR'), name='server_account_confirmed')],
            },
        ),
    ]
