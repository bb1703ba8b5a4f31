"""The days that take no more hits, whatever a counter's clock says."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("downloads", "0005_chart_indexes")]

    operations = [
        migrations.CreateModel(
            name="ClosedDay",
            fields=[("day", models.DateField(primary_key=True, serialize=False))],
        ),
    ]
