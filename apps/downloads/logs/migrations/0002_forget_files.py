from django.db import migrations, models

import apps.core.clock


class Migration(migrations.Migration):
    dependencies = [("logs", "0001_initial")]

    operations = [
        migrations.RemoveField(model_name="logfile", name="first_seen_at"),
        migrations.RemoveField(model_name="logfile", name="newest_at"),
        migrations.AddField(
            model_name="logfile",
            name="seen_at",
            field=models.DateTimeField(default=apps.core.clock.now),
        ),
        migrations.AddIndex(
            model_name="logfile",
            index=models.Index(fields=["source", "seen_at"], name="log_file_to_forget"),
        ),
    ]
