"""What charts answer, described for programs; the values come from ``answers``.

Every answer has a field for each cell of the table that the studio shows below the same chart.
"""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from api.base.fields import IdField
from apps.downloads.chart_tables import STATUSES, WEEKDAYS, first_days_key
from apps.downloads.charts import Grain
from apps.downloads.episode_curves import STEP_HOURS
from apps.downloads.first_days import MILESTONE_DAYS
from apps.downloads.window import KEY_LIFETIME

type Fields = dict[str, "serializers.Field[Any, Any, Any, Any]"]

_DOWNLOADS = "Downloads, after IAB v2.3."
_FROM_REQUESTS = "How many of these are known from requests only, until logs are read."
_STATUS = "Whether reports that come late can still change it."


def _first(days: int) -> str:
    if days == 1:
        return "Downloads of its first day; null until that has passed."
    return f"Downloads of its first {days} days; null until these have passed."


def words(values: Iterable[object]) -> str:
    """Choices in a description."""
    return ", ".join(map(str, values))


class DaysSerializer(serializers.Serializer[Any]):
    """A stretch of whole days."""

    def get_fields(self) -> Fields:
        """With ``from``, which can't be an attribute; both come first."""
        return {
            "from": serializers.DateField(help_text="The first day."),
            "to": serializers.DateField(help_text="The last day, this one included."),
            **super().get_fields(),
        }


class PeriodSerializer(DaysSerializer):
    """What was asked for, as it was understood: whole days."""


class ProvisionalSerializer(serializers.Serializer[Any]):
    """From when on figures may still change."""

    provisional_from = serializers.DateField(
        help_text="The first day that late reports may still change: they are taken in for "
        f"{KEY_LIFETIME.total_seconds() / 3600:.0f} hours after the end of each day of UTC."
    )


class SubjectSerializer(ProvisionalSerializer):
    """Whose figures these are."""

    show = IdField()
    episode = IdField(allow_null=True, help_text="Null: the whole show.")
    time_zone = serializers.CharField(
        help_text="The show’s, by its IANA name: in which its days end."
    )


class OfOrganizationSerializer(ProvisionalSerializer):
    """Whose figures these are: those of all its shows."""

    organization = IdField()
    time_zone = serializers.CharField(
        allow_null=True, help_text="Null: a download is of the day in its own show’s time zone."
    )


class OfPeriodSerializer(serializers.Serializer[Any]):
    """Figures of some days."""

    period = PeriodSerializer()


class PeriodChartSerializer(SubjectSerializer, OfPeriodSerializer):
    """Figures of some days of a show or an episode."""


class LastDaysSerializer(serializers.Serializer[Any]):
    """The last days, today included."""

    days = serializers.IntegerField(help_text="How many.")
    downloads = serializers.IntegerField(help_text=_DOWNLOADS)
    before = serializers.IntegerField(help_text="Downloads of as many days just before.")
    change_percent = serializers.IntegerField(
        allow_null=True, help_text="Against the days before; null when there were none."
    )


class WindowSerializer(LastDaysSerializer):
    """The last 7, 30 or 90 days, and each of them."""

    daily = serializers.ListField(
        child=serializers.IntegerField(), help_text="Downloads of each of the days, oldest first."
    )


class FiguresSerializer(serializers.Serializer[Any]):
    """The first figures that somebody asks for; they don't depend on a period."""

    all_time = serializers.IntegerField(help_text="All downloads that ever were.")
    first_month = serializers.DateField(
        allow_null=True, help_text="The first day of the month of the first download, if any."
    )


class HeadlineSerializer(SubjectSerializer, FiguresSerializer):
    """The first figures of a show or an episode."""

    rows = WindowSerializer(many=True)


class OrganizationHeadlineSerializer(OfOrganizationSerializer, FiguresSerializer):
    """The first figures of all shows together, each of which has its own today."""

    rows = LastDaysSerializer(many=True, help_text="Of today, and of the last 7 and 30 days.")


class TimeRowSerializer(DaysSerializer):
    """A day, a week or a month; cut off where the period begins and ends."""

    downloads = serializers.IntegerField(help_text=_DOWNLOADS)
    from_requests_only = serializers.IntegerField(help_text=_FROM_REQUESTS)
    status = serializers.ChoiceField(choices=STATUSES, help_text=_STATUS)
    listeners_on_utc_day = serializers.IntegerField(
        allow_null=True,
        help_text="Distinct listeners (address and user agent) of the day of UTC with this date. "
        "Only of a show, by the day: null elsewhere.",
    )


class OverTimeSerializer(OfPeriodSerializer):
    """Downloads over time, also where there are none."""

    grain = serializers.ChoiceField(choices=[grain.value for grain in Grain])
    rows = TimeRowSerializer(many=True)


class TimeChartSerializer(SubjectSerializer, OverTimeSerializer):
    """Downloads of a show or an episode over time."""


class OrganizationTimeChartSerializer(OfOrganizationSerializer, OverTimeSerializer):
    """Downloads of all shows together over time."""


class HourRowSerializer(serializers.Serializer[Any]):
    """An hour, told by its beginning."""

    hour = serializers.DateTimeField(help_text="In the show’s time zone.")
    hour_utc = serializers.DateTimeField(help_text="The same moment.")
    downloads = serializers.IntegerField(help_text=_DOWNLOADS)
    from_requests_only = serializers.IntegerField(help_text=_FROM_REQUESTS)
    status = serializers.ChoiceField(choices=STATUSES, help_text=_STATUS)


class HourChartSerializer(SubjectSerializer):
    """Downloads by the hour, the running one last."""

    rows = HourRowSerializer(many=True)


class PartRowSerializer(serializers.Serializer[Any]):
    """What downloads came from."""

    name = serializers.CharField(help_text="For people.")
    downloads = serializers.IntegerField(help_text=_DOWNLOADS)
    from_requests_only = serializers.IntegerField(help_text=_FROM_REQUESTS)
    percent = serializers.IntegerField(help_text="Of all downloads in the rows, rounded.")


class AppRowSerializer(PartRowSerializer):
    """An app, a browser or a library."""

    app = serializers.CharField(allow_blank=True, help_text="Empty: unknown.")


class DeviceRowSerializer(PartRowSerializer):
    """A kind of device."""

    device = serializers.CharField(allow_blank=True, help_text="Empty: unknown.")


class CountryRowSerializer(PartRowSerializer):
    """A country."""

    country = serializers.CharField(
        allow_blank=True, help_text="Its code of ISO 3166-1; empty: unknown."
    )


class WebsiteRowSerializer(PartRowSerializer):
    """A website on which a player was used; the hosts of one web player are one."""

    referrer = serializers.CharField(help_text="A web player’s name, or a site’s host.")


class AppChartSerializer(PeriodChartSerializer):
    """Apps, most downloads first."""

    rows = AppRowSerializer(many=True)


class DeviceChartSerializer(PeriodChartSerializer):
    """Devices, most downloads first."""

    rows = DeviceRowSerializer(many=True)


class CountryChartSerializer(PeriodChartSerializer):
    """Countries, most downloads first."""

    rows = CountryRowSerializer(many=True)


class WebsiteChartSerializer(PeriodChartSerializer):
    """Websites, most downloads first: only downloads that a player on a website made."""

    rows = WebsiteRowSerializer(many=True)


class WeekRowSerializer(serializers.Serializer[Any]):
    """An hour of a weekday, in the show's time zone."""

    weekday = serializers.ChoiceField(choices=WEEKDAYS)
    hour = serializers.IntegerField(min_value=0, max_value=23, help_text="When it begins.")
    downloads = serializers.IntegerField(help_text=_DOWNLOADS)


class WeekChartSerializer(PeriodChartSerializer):
    """When people download: 7 times 24 rows, Monday's midnight first."""

    rows = WeekRowSerializer(many=True)


class MonthRowSerializer(serializers.Serializer[Any]):
    """A month of UTC."""

    month = serializers.DateField(help_text="Its first day.")
    listeners_about = serializers.IntegerField(
        help_text="Distinct listeners (address and user agent), within some 2 percent."
    )
    status = serializers.ChoiceField(choices=STATUSES, help_text=_STATUS)


class ListenerChartSerializer(PeriodChartSerializer):
    """Listeners by month: whole months of UTC, of every month that the period touches."""

    rows = MonthRowSerializer(many=True)


class ReasonSerializer(serializers.Serializer[Any]):
    """Why requests were not counted."""

    reason = serializers.CharField(help_text="Stays; for programs.")
    name = serializers.CharField(help_text="The same for people.")
    what = serializers.CharField(help_text="What was seen.")
    rule = serializers.CharField(help_text="Whose rule it is.")
    advice = serializers.CharField(help_text="What can be done about it, if anything.")
    count = serializers.IntegerField(help_text="In the whole period.")
    percent = serializers.IntegerField(help_text="Of all that was not counted, rounded.")


class NotCountedRowSerializer(serializers.Serializer[Any]):
    """How often a reason applied on a day; days and reasons without any are left out."""

    day_utc = serializers.DateField(help_text="A day of UTC.")
    reason = serializers.CharField()
    count = serializers.IntegerField(
        help_text="Requests; of `below_threshold` listeners, of `quarantined` downloads."
    )
    status = serializers.ChoiceField(choices=STATUSES, help_text=_STATUS)


class CountedDaySerializer(serializers.Serializer[Any]):
    """The downloads beside what was not counted."""

    day_utc = serializers.DateField(help_text="A day of UTC.")
    downloads = serializers.IntegerField(help_text=_DOWNLOADS)
    status = serializers.ChoiceField(choices=STATUSES, help_text=_STATUS)


class NotCountedChartSerializer(PeriodChartSerializer):
    """What was not counted and why: days are those of UTC here, whatever the show's time zone."""

    reasons = ReasonSerializer(many=True, help_text="Those that applied, most frequent first.")
    days = CountedDaySerializer(many=True)
    rows = NotCountedRowSerializer(many=True)


class EpisodeRowSerializer(serializers.Serializer[Any]):
    """An episode by its first days, which begin with the hour of publication."""

    episode = IdField()
    title = serializers.CharField()
    published_at = serializers.DateTimeField()
    all_time = serializers.IntegerField(help_text="All downloads that ever were.")

    def get_fields(self) -> Fields:
        """With a field for each of the windows."""
        first = {
            first_days_key(days): serializers.IntegerField(
                allow_null=True,
                help_text=_first(days),
            )
            for days in MILESTONE_DAYS
        }
        return super().get_fields() | first


class ComparedSerializer(serializers.Serializer[Any]):
    """An episode that is compared."""

    episode = IdField()
    title = serializers.CharField()
    published_at = serializers.DateTimeField()


class CompareRowSerializer(serializers.Serializer[Any]):
    """A point of an episode's curve."""

    episode = IdField()
    hours_after_publication = serializers.IntegerField(
        help_text="The end of the step, from the beginning of the hour of publication."
    )
    downloads = serializers.IntegerField(
        allow_null=True, help_text="All of them up to here; null for what is yet to come."
    )


class CompareChartSerializer(SubjectSerializer):
    """Episodes beside each other, each from the hour in which it came out."""

    days = serializers.IntegerField(help_text=f"One of {words(STEP_HOURS)}.")
    step_hours = serializers.IntegerField(help_text="From one point to the next.")
    episodes = ComparedSerializer(many=True)
    rows = CompareRowSerializer(many=True)


class RankedShowSerializer(serializers.Serializer[Any]):
    """A show."""

    show = IdField()
    title = serializers.CharField()
    downloads = serializers.IntegerField(help_text="In the period.")


class OrganizationShowsSerializer(OfOrganizationSerializer, OfPeriodSerializer):
    """The shows with the most downloads, first; at most a hundred."""

    rows = RankedShowSerializer(many=True)
