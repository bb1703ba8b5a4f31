"""Downloads of their own, coverage that goes with its day, and totals that charts read."""

import django.db.models.deletion
from django.db import migrations, models

import apps.core.clock
import apps.downloads.fields
from apps.downloads.migration_operations import CreateDailyModel
from apps.downloads.models.day import Reaches
from apps.downloads.models.references import OutlivedKey

SET_ASIDE = "CREATE TABLE downloads_oldcoverage AS SELECT * FROM downloads_coverage"
FORGET = "DROP TABLE downloads_oldcoverage"

# Mostly the file was sent in one piece: only where it was not are the pieces added up.
CREATE_FUNCTION = """
CREATE FUNCTION longwave_reaches(intervals int8multirange, threshold bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(upper(intervals) - lower(intervals), 0) >= threshold AND (
    intervals = int8multirange(range_merge(intervals))
    OR longwave_interval_bytes(intervals) >= threshold
)
"""
DROP_FUNCTION = "DROP FUNCTION longwave_reaches(int8multirange, bigint)"
CREATE_SEQUENCE = "CREATE SEQUENCE downloads_hitbatch_id_seq"
DROP_SEQUENCE = "DROP SEQUENCE downloads_hitbatch_id_seq"

class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("downloads", "0002_counts_outlive_episodes"),
        ("media", "0005_delivery"),
        ("podcasts", "0005_time_zone"),
    ]

    operations = [
        migrations.RunSQL(SET_ASIDE, FORGET),
        migrations.DeleteModel("Coverage"),
        migrations.DeleteModel("StreamPosition"),
        migrations.RunSQL(CREATE_FUNCTION, DROP_FUNCTION),
        migrations.RunSQL(CREATE_SEQUENCE, DROP_SEQUENCE),
        CreateDailyModel(
            name='HitBatch',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('id', models.BigIntegerField()),
                ('hits', models.IntegerField()),
                ('sealed', models.BinaryField()),
                ('is_from_log', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name_plural': 'hit batches',
            },
        ),
        migrations.CreateModel(
            name='MonthKey',
            fields=[
                ('month', models.DateField(primary_key=True, serialize=False)),
                ('key', models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name='StreamPosition',
            fields=[
                ('pk', models.CompositePrimaryKey('stream', 'epoch', 'consumer', blank=True, editable=False, primary_key=True, serialize=False)),
                ('stream', models.CharField(max_length=100)),
                ('epoch', models.CharField(max_length=32)),
                ('consumer', models.CharField(max_length=20)),
                ('position', models.CharField(max_length=41)),
                ('updated_at', models.DateTimeField(default=apps.core.clock.now)),
            ],
        ),
        migrations.AlterField(
            model_name='droptally',
            name='organization',
            field=OutlivedKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.organization'),
        ),
        CreateDailyModel(
            name='DayListener',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'show', 'listener_key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('listener_key', models.BinaryField(max_length=16)),
                ('show', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.show')),
            ],
        ),
        CreateDailyModel(
            name='Coverage',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'episode', 'listener_key', 'rendition', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('listener_key', models.BinaryField(max_length=16)),
                ('address_key', models.BinaryField(blank=True, max_length=16, null=True)),
                ('served', apps.downloads.fields.IntervalsField()),
                ('threshold_bytes', models.BigIntegerField()),
                ('first_at', models.DateTimeField()),
                ('referrer', models.CharField(blank=True, max_length=255)),
                ('is_sent_on', models.BooleanField(default=False)),
                ('download_id', models.BigIntegerField(blank=True, null=True)),
                ('attributed_at', models.DateTimeField(blank=True, null=True)),
                ('is_provisional', models.BooleanField(default=False)),
                ('episode', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.episode')),
                ('organization', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.organization')),
                ('rendition', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='media.rendition')),
                ('show', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.show')),
            ],
            options={
                'verbose_name_plural': 'coverage',
                'indexes': [models.Index(condition=models.Q(('download_id__isnull', False)), fields=['day', 'address_key'], name='coverage_address_ceiling')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('download_id__isnull', False)), fields=('day', 'listener_key', 'episode'), name='coverage_counted_once'), models.CheckConstraint(condition=models.Q(('threshold_bytes__gt', 0)), name='coverage_threshold_positive'), models.CheckConstraint(condition=models.Q(('download_id', None), ('is_provisional', True), Reaches('served', 'threshold_bytes'), _connector='OR'), name='coverage_counted_reached_threshold'), models.CheckConstraint(condition=models.Q(models.Q(('attributed_at__isnull', False), ('download_id__isnull', False)), models.Q(('attributed_at', None), ('download_id', None), ('is_provisional', False)), _connector='OR'), name='coverage_attributed_when_counted')],
            },
        ),
        migrations.CreateModel(
            name='DayTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('downloads', models.BigIntegerField()),
                ('provisional', models.BigIntegerField(default=0)),
                ('dimension', models.CharField(blank=True, choices=[('', 'All'), ('app', 'App'), ('device', 'Device'), ('country', 'Country'), ('referrer', 'Website')], max_length=10)),
                ('value', models.CharField(blank=True, max_length=255)),
                ('day', models.DateField()),
                ('episode', OutlivedKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.episode')),
                ('organization', OutlivedKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.organization')),
                ('show', OutlivedKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.show')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('dimension', ''), ('episode__isnull', False)), fields=['show', 'day'], name='day_total_episodes'), models.Index(condition=models.Q(('dimension', ''), ('episode__isnull', True)), fields=['organization', 'day'], name='day_total_shows'), models.Index(condition=models.Q(('dimension', ''), ('episode__isnull', True), ('show__isnull', False)), fields=['day'], name='day_total_platform')],
                'constraints': [models.UniqueConstraint(fields=('show', 'episode', 'dimension', 'day', 'value'), name='day_total_one_row', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Download',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('local_day', models.DateField()),
                ('first_at', models.DateTimeField()),
                ('counted_at', models.DateTimeField()),
                ('app', models.CharField(blank=True, max_length=100)),
                ('category', models.CharField(max_length=10)),
                ('device', models.CharField(blank=True, max_length=100)),
                ('platform', models.CharField(blank=True, max_length=20)),
                ('country', models.CharField(blank=True, max_length=2)),
                ('referrer', models.CharField(blank=True, max_length=255)),
                ('is_first_of_listener', models.BooleanField(default=False)),
                ('is_provisional', models.BooleanField(default=False)),
                ('held_address', models.BinaryField(blank=True, max_length=16, null=True)),
                ('episode', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.episode')),
                ('organization', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.organization')),
                ('show', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.show')),
            ],
            options={
                'indexes': [models.Index(fields=['show', '-counted_at'], name='download_show_latest'), models.Index(fields=['organization', '-counted_at'], name='download_team_latest'), models.Index(fields=['-counted_at'], name='download_latest'), models.Index(fields=['day'], name='download_day'), models.Index(condition=models.Q(('held_address__isnull', False)), fields=['organization', 'day', 'held_address'], name='download_held')],
            },
        ),
        migrations.CreateModel(
            name='LoggedDay',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'show', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('show', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.show')),
            ],
        ),
        migrations.CreateModel(
            name='HourTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('downloads', models.BigIntegerField()),
                ('provisional', models.BigIntegerField(default=0)),
                ('hour', models.DateTimeField()),
                ('episode', OutlivedKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.episode')),
                ('organization', OutlivedKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.organization')),
                ('show', OutlivedKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.show')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('episode__isnull', True)), fields=['organization', 'hour'], name='hour_total_shows')],
                'constraints': [models.UniqueConstraint(fields=('show', 'episode', 'hour'), name='hour_total_one_row', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='ListenerTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('listeners', models.BigIntegerField()),
                ('organization', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.organization')),
                ('show', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.show')),
            ],
            options={
                'indexes': [models.Index(fields=['day'], name='listener_total_day')],
                'constraints': [models.UniqueConstraint(fields=('show', 'day'), name='listener_total_one_row')],
            },
        ),
        migrations.CreateModel(
            name='MonthListeners',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('sketch', models.BinaryField()),
                ('listeners', models.BigIntegerField()),
                ('organization', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.organization')),
                ('show', OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.show')),
            ],
            options={
                'verbose_name_plural': 'month listeners',
                'constraints': [models.UniqueConstraint(fields=('show', 'month'), name='month_listeners_one_row')],
            },
        ),
        migrations.CreateModel(
            name='MonthTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('downloads', models.BigIntegerField()),
                ('provisional', models.BigIntegerField(default=0)),
                ('dimension', models.CharField(blank=True, choices=[('', 'All'), ('app', 'App'), ('device', 'Device'), ('country', 'Country'), ('referrer', 'Website')], max_length=10)),
                ('value', models.CharField(blank=True, max_length=255)),
                ('month', models.DateField()),
                ('episode', OutlivedKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.episode')),
                ('organization', OutlivedKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.organization')),
                ('show', OutlivedKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='podcasts.show')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('dimension', ''), ('episode__isnull', False)), fields=['show'], name='month_total_episodes'), models.Index(condition=models.Q(('dimension', ''), ('episode__isnull', True)), fields=['organization'], name='month_total_shows')],
                'constraints': [models.UniqueConstraint(fields=('show', 'episode', 'dimension', 'month', 'value'), name='month_total_one_row', nulls_distinct=False)],
            },
        ),
    ]
