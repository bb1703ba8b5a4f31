from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("podcasts", "0005_time_zone")]

    operations = [
        migrations.AddField(
            model_name="feeddocument",
            name="edition",
            field=models.CharField(default="", max_length=255),
        ),
    ]
