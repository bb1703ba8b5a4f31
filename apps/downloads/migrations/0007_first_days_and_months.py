"""First days of episodes that are kept, and months of episodes by app, device, country, website."""

import django.db.models.deletion
from django.db import migrations, models

from apps.downloads.models.references import OutlivedKey

# A month of an episode was its total alone so far, also where 0004 has just added up all downloads.
MONTHS = """
INSERT INTO downloads_monthtotal (
    organization_id, show_id, episode_id, dimension, value, month, downloads, provisional
)
SELECT organization_id, show_id, episode_id, dimension, value,
    date_trunc('month', day::timestamp)::date, sum(downloads), sum(provisional)
FROM downloads_daytotal WHERE episode_id IS NOT NULL AND dimension <> ''
GROUP BY 1, 2, 3, 4, 5, 6
"""
FORGET = "DELETE FROM downloads_monthtotal WHERE episode_id IS NOT NULL AND dimension <> ''"
# A batch updates many rows of the newest pages: with room beside them, most of these updates touch
# no index (ADR 17).
ROOM = """
ALTER TABLE downloads_daytotal SET (fillfactor = 85);
ALTER TABLE downloads_monthtotal SET (fillfactor = 85)
"""
NO_ROOM = """
ALTER TABLE downloads_daytotal RESET (fillfactor);
ALTER TABLE downloads_monthtotal RESET (fillfactor)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("downloads", "0006_closed_days"),
        ("podcasts", "0005_time_zone"),
    ]

    operations = [
        migrations.CreateModel(
            name="FirstDays",
            fields=[
                ("pk", models.CompositePrimaryKey("show", "episode", "days", blank=True, editable=False, primary_key=True, serialize=False)),
                ("days", models.SmallIntegerField()),
                ("since", models.DateTimeField()),
                ("downloads", models.BigIntegerField()),
                ("episode", OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="podcasts.episode")),
                ("show", OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="podcasts.show")),
            ],
            options={"verbose_name_plural": "first days"},
        ),
        migrations.RunSQL(ROOM, NO_ROOM),
        migrations.RunSQL(MONTHS, FORGET),
    ]
