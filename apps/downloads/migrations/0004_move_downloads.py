"""What was counted so far, in its new place: after the indexes, which this needs."""

from django.db import connection, migrations

from apps.downloads import partitions, rollups

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


def move(apps, schema_editor):
    for day in apps.get_model("downloads", "DayKey").objects.values_list("day", flat=True):
        partitions.create(day)
    with connection.cursor() as cursor:
        for statement in (DOWNLOADS, NEXT_ID, COVERAGE, LISTENERS, LISTENER_TOTALS, TALLIES):
            cursor.execute(statement)
    rollups.add_all()


class Migration(migrations.Migration):
    dependencies = [("downloads", "0003_downloads_and_totals")]

    operations = [migrations.RunPython(move), migrations.RunSQL(FORGET)]
