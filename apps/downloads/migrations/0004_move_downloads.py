"""What was counted so far, in its new place: after the indexes, which this needs.

Totals and partitions are as the counter of this version makes them; later ones may differ.
"""

from datetime import timedelta

from django.db import migrations

FORGET = "DROP TABLE downloads_oldcoverage"
# The days were those of UTC so far.
DOWNLOADS = """
INSERT INTO downloads_download (
    id, organization_id, show_id, episode_id, day, local_day, first_at, counted_at, app, category,
    device, platform, country, referrer, is_first_of_listener, is_provisional, held_address
)
SELECT id, organization_id, show_id, episode_id, day, (first_at AT TIME ZONE 'UTC')::date,
    first_at, coalesce(counted_at, quarantined_at), app, category, device, platform, country, '',
    row_number() OVER (PARTITION BY show_id, day, listener_key ORDER BY counted_at, id) = 1,
    false, CASE WHEN counted_at IS NULL THEN substring(address_key FOR 16) END
FROM downloads_oldcoverage
WHERE counted_at IS NOT NULL OR quarantined_at IS NOT NULL
ORDER BY id
"""
NEXT_ID = """
SELECT setval('downloads_download_id_seq', coalesce((SELECT max(id) FROM downloads_download), 1))
"""
COVERAGE = """
INSERT INTO downloads_coverage (
    day, episode_id, listener_key, rendition_id, organization_id, show_id, address_key, served,
    threshold_bytes, first_at, referrer, is_sent_on, download_id, attributed_at, is_provisional
)
SELECT day, episode_id, substring(listener_key FOR 16), rendition_id, organization_id, show_id,
    substring(address_key FOR 16), served, threshold_bytes, first_at, '', false,
    CASE WHEN is_settled THEN id END, CASE WHEN is_settled THEN first_at END, false
FROM downloads_oldcoverage,
    LATERAL (SELECT counted_at IS NOT NULL OR quarantined_at IS NOT NULL AS is_settled) AS state
WHERE day IN (SELECT day FROM downloads_daykey)
"""
LISTENERS = """
INSERT INTO downloads_daylistener (day, show_id, listener_key)
SELECT DISTINCT day, show_id, listener_key FROM downloads_coverage WHERE download_id IS NOT NULL
"""
LISTENER_TOTALS = """
INSERT INTO downloads_listenertotal (organization_id, show_id, day, listeners)
SELECT organization_id, show_id, day, count(*) FROM downloads_download
WHERE is_first_of_listener AND held_address IS NULL GROUP BY 1, 2, 3
"""
TALLIES = """
INSERT INTO downloads_droptally (day, organization_id, show_id, episode_id, reason, count)
SELECT day, organization_id, show_id, episode_id, 'below_threshold', count(*)
FROM downloads_oldcoverage
WHERE counted_at IS NULL AND quarantined_at IS NULL
    AND day NOT IN (SELECT day FROM downloads_daykey)
GROUP BY 1, 2, 3, 4
"""
PARTITION = """
CREATE TABLE {table}_{day:%Y%m%d} PARTITION OF {table}
FOR VALUES FROM ('{day}') TO ('{next_day}') WITH (fillfactor = 80)
"""
PARTITIONED = ("downloads_hitbatch", "downloads_coverage", "downloads_daylistener")
# Each download in three scopes; no website was known.
COUNTED = """
FROM (SELECT * FROM downloads_download WHERE held_address IS NULL) AS made, LATERAL (VALUES
    (made.organization_id, made.show_id, made.episode_id, made.local_day),
    (made.organization_id, made.show_id, NULL::uuid, made.local_day),
    (NULL::uuid, NULL::uuid, NULL::uuid, (made.first_at AT TIME ZONE 'UTC')::date)
) AS scope (organization_id, show_id, episode_id, day)
"""
PARTS = """
, LATERAL (VALUES
    ('', ''), ('app', made.app), ('device', made.device), ('country', made.country)
) AS part (dimension, value)
"""
HOURS = f"""
INSERT INTO downloads_hourtotal (
    organization_id, show_id, episode_id, hour, downloads, provisional
)
SELECT scope.organization_id, scope.show_id, scope.episode_id,
    date_trunc('hour', first_at, 'UTC'), count(*), 0
{COUNTED} GROUP BY 1, 2, 3, 4
"""
DAYS = f"""
INSERT INTO downloads_daytotal (
    organization_id, show_id, episode_id, dimension, value, day, downloads, provisional
)
SELECT scope.organization_id, scope.show_id, scope.episode_id, dimension, value,
    scope.day, count(*), 0
{COUNTED} {PARTS} GROUP BY 1, 2, 3, 4, 5, 6
"""
MONTHS = f"""
INSERT INTO downloads_monthtotal (
    organization_id, show_id, episode_id, dimension, value, month, downloads, provisional
)
SELECT scope.organization_id, scope.show_id, scope.episode_id, dimension, value,
    date_trunc('month', scope.day::timestamp)::date, count(*), 0
{COUNTED} {PARTS} WHERE scope.episode_id IS NULL OR dimension = '' GROUP BY 1, 2, 3, 4, 5, 6
"""
STATEMENTS = (
    *(DOWNLOADS, NEXT_ID, COVERAGE, LISTENERS, LISTENER_TOTALS, TALLIES),
    *(HOURS, DAYS, MONTHS),
)


def move(apps, schema_editor):
    days = apps.get_model("downloads", "DayKey").objects.values_list("day", flat=True)
    with schema_editor.connection.cursor() as cursor:
        for day in days:
            for table in PARTITIONED:
                next_day = day + timedelta(days=1)
                cursor.execute(PARTITION.format(table=table, day=day, next_day=next_day))
        for statement in STATEMENTS:
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("downloads", "0003_downloads_and_totals")]

    operations = [migrations.RunPython(move), migrations.RunSQL(FORGET)]
