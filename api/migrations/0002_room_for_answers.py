"""Whose answers are kept, and how large they are. Those of before count for nobody: they last a day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("api", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="keptanswer",
            name="owner_sha256",
            field=models.BinaryField(default=b"", max_length=32),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="keptanswer",
            name="size_bytes",
            field=models.PositiveIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="keptanswer",
            index=models.Index(
                fields=["owner_sha256", "created_at"],
                include=["size_bytes"],
                name="kept_answer_by_owner",
            ),
        ),
    ]
