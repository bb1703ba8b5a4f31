"""Every chart of a show and of an episode: a view for each, at two addresses."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from api.base.parameters import checked_parameters
from api.base.rendering import JsonRenderer
from api.base.views import ApiView
from api.statistics import answers
from api.statistics import serializers as described
from api.statistics.periods import HoursQuery, NoQuery, PeriodQuery, TimeQuery, period_of
from api.statistics.rendering import CsvRenderer
from api.statistics.schema import ChartSchema
from apps.accounts.scopes import Scope
from apps.core.clock import now
from apps.downloads.charts import Grain
from apps.downloads.models import Dimension
from apps.downloads.subject import Subject
from apps.downloads.totals import Period
from podcasts.access import episodes_of_member, shows_of_member


class StatisticsView(ApiView):
    """What every view of statistics needs: the scope, parameters that are read, the subject."""

    read_scope = Scope.STATS
    schema = ChartSchema()
    query: ClassVar[type[Serializer[Any]]] = NoQuery
    answer: ClassVar[type[Serializer[Any]]]
    has_csv: ClassVar[bool] = False

    def known_parameters(self) -> tuple[str, ...]:
        """Those of the query."""
        return tuple(self.query().fields)

    def asked(self) -> dict[str, Any]:
        """The values of the query; raises ParametersError."""
        return checked_parameters(self.request, self.query)


class ChartView(StatisticsView):
    """One chart of a show, or of an episode: as JSON, or its rows as CSV."""

    renderer_classes = (JsonRenderer, CsvRenderer)
    has_csv = True

    def subject(self) -> Subject:
        """The show or the episode of the address, if the actor may see it; else Http404."""
        return subject_of(self.request, **self.kwargs)

    def period(self, subject: Subject) -> Period:
        """What a PeriodQuery asks for; raises ParameterError."""
        return period_of(self.asked(), today=subject.today)


def subject_of(
    request: Request, show_id: UUID | None = None, episode_id: UUID | None = None
) -> Subject:
    """The show, or the episode with its show; Http404 for a stranger."""
    if episode_id is not None:
        episode = _only(episodes_of_member(request.user).select_related("show"), episode_id)
        return Subject(episode.show, now(), episode)
    return Subject(_only(shows_of_member(request.user), show_id), now())


def _only[M: Any](rows: QuerySet[M], row_id: UUID | None) -> M:
    found = rows.filter(pk=row_id).first()
    if found is None:
        raise Http404("There is nothing here.")
    return found


class HeadlineView(ChartView):
    """``…/statistics/headline/``."""

    answer = described.HeadlineSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """The last 7, 30 and 90 days beside as many before, and all time."""
        return Response(answers.windows(self.subject()))


class TimeView(ChartView):
    """``…/statistics/downloads/``."""

    query = TimeQuery
    answer = described.TimeChartSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """Downloads by day, week or month; of a show by day also listeners."""
        subject = self.subject()
        found = answers.over_time(
            subject.scope,
            self.period(subject),
            Grain(self.asked()["grain"]),
            first_open=subject.first_open,
        )
        return Response(answers.of(subject) | found)


class HoursView(ChartView):
    """``…/statistics/hours/``."""

    query = HoursQuery
    answer = described.HourChartSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """Downloads in each of the last hours."""
        return Response(answers.hours(self.subject(), self.asked()["hours"]))


class WeekView(ChartView):
    """``…/statistics/week/``."""

    query = PeriodQuery
    answer = described.WeekChartSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """When people download: weekday by hour."""
        subject = self.subject()
        return Response(answers.week(subject, self.period(subject)))


class AppsView(ChartView):
    """``…/statistics/apps/``."""

    query = PeriodQuery
    answer = described.AppChartSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """With which apps people download."""
        subject = self.subject()
        return Response(answers.parts(subject, self.period(subject), Dimension.APP))


class DevicesView(ChartView):
    """``…/statistics/devices/``."""

    query = PeriodQuery
    answer = described.DeviceChartSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """On which devices people download."""
        subject = self.subject()
        return Response(answers.parts(subject, self.period(subject), Dimension.DEVICE))


class CountriesView(ChartView):
    """``…/statistics/countries/``."""

    query = PeriodQuery
    answer = described.CountryChartSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """In which countries people download."""
        subject = self.subject()
        return Response(answers.parts(subject, self.period(subject), Dimension.COUNTRY))


class WebsitesView(ChartView):
    """``…/statistics/websites/``."""

    query = PeriodQuery
    answer = described.WebsiteChartSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """On which websites a player was used."""
        subject = self.subject()
        return Response(answers.parts(subject, self.period(subject), Dimension.REFERRER))


class ListenersView(ChartView):
    """``…/statistics/listeners/``, of shows."""

    query = PeriodQuery
    answer = described.ListenerChartSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """About how many listeners each month had; by the day ``downloads`` knows it exactly."""
        subject = self.subject()
        return Response(answers.listeners(subject, self.period(subject)))


class NotCountedView(ChartView):
    """``…/statistics/not-counted/``, of shows."""

    query = PeriodQuery
    answer = described.NotCountedChartSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """What was not counted on each day of UTC, and why."""
        subject = self.subject()
        period = period_of(self.asked(), today=subject.today_utc)
        return Response(answers.not_counted(subject, period))
