"""New listeners of months wait in a table of their own until they are folded into the sketches."""

import django.db.models.deletion
from django.db import migrations, models

from apps.downloads.models.references import OutlivedKey
from apps.downloads.months import fold_all

# Marks are as good as random: nothing would be won by trying to compress them.
MARKS = "ALTER TABLE downloads_montharrival ALTER COLUMN marks SET STORAGE EXTERNAL"


def fold(*args: object) -> None:
    """Nobody is lost with the table, also where a counter was killed."""
    fold_all()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_api_tokens"),
        ("downloads", "0009_episode_downloads"),
        ("podcasts", "0005_time_zone"),
    ]

    operations = [
        migrations.CreateModel(
            name="MonthArrival",
            fields=[
                ("pk", models.CompositePrimaryKey("show", "month", "batch", blank=True, editable=False, primary_key=True, serialize=False)),
                ("month", models.DateField()),
                ("batch", models.UUIDField()),
                ("marks", models.BinaryField()),
                ("organization", OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="accounts.organization")),
                ("show", OutlivedKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="podcasts.show")),
            ],
        ),
        migrations.RunSQL(MARKS, migrations.RunSQL.noop),
        migrations.RunPython(migrations.RunPython.noop, fold),
    ]
