"""The figures of all shows of an organisation together."""

from datetime import UTC, date, datetime
from functools import cached_property
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from api.base.rendering import JsonRenderer
from api.statistics import answers
from api.statistics import serializers as described
from api.statistics.periods import PeriodQuery, TimeQuery, period_of
from api.statistics.rendering import CsvRenderer
from api.statistics.views import StatisticsView
from apps.accounts.access import require_role
from apps.core.clock import now
from apps.downloads import totals
from apps.downloads.charts import Grain, first_open_anywhere
from apps.downloads.totals import Period
from apps.downloads.totals import Scope as Rows
from apps.live.groups import Board
from apps.live.places import place_of

MOST_SHOWS = 100


class OrganizationStatisticsView(StatisticsView):
    """Figures of all shows of the organisation of the address."""

    renderer_classes = (JsonRenderer, CsvRenderer)
    has_csv = True

    @cached_property
    def at(self) -> datetime:
        """Now."""
        return now()

    def rows(self) -> Rows:
        """Whose sum the figures are; nobody but members, and no token for one show: Http404."""
        organization_id: UUID = self.kwargs["organization_id"]
        require_role(self.request.user, organization_id)
        return Rows(organization=organization_id)

    @property
    def today(self) -> date:
        """Of UTC, with which periods end: its shows may be at home in several zones."""
        return self.at.astimezone(UTC).date()

    @property
    def first_open(self) -> date:
        """The first day that late reports may still change for any show."""
        return first_open_anywhere(self.at)

    def period(self) -> Period:
        """What is asked for; raises ParameterError."""
        return period_of(self.asked(), today=self.today)

    def of(self) -> answers.Answer:
        """Whose figures."""
        return {
            "organization": self.kwargs["organization_id"],
            "time_zone": None,
            "provisional_from": self.first_open,
        }


class OrganizationHeadlineView(OrganizationStatisticsView):
    """``/organizations/<id>/statistics/headline/``."""

    answer = described.OrganizationHeadlineSerializer

    def get(self, request: Request, organization_id: UUID) -> Response:
        """Today, 7 and 30 days of all shows beside as many before, and all time.

        As on the organisation's board: today is that of each show.
        """
        figures = answers.figures(self.rows())
        place = place_of(Board.of_organization(organization_id))
        found = totals.headline(place.scope_at(self.at), today=place.day(self.at))
        return Response(self.of() | figures | answers.last_days(found))


class OrganizationTimeView(OrganizationStatisticsView):
    """``/organizations/<id>/statistics/downloads/``."""

    query = TimeQuery
    answer = described.OrganizationTimeChartSerializer

    def get(self, request: Request, organization_id: UUID) -> Response:
        """Downloads of all shows by day, week or month."""
        found = answers.over_time(
            self.rows(), self.period(), Grain(self.asked()["grain"]), first_open=self.first_open
        )
        return Response(self.of() | found)


class OrganizationShowsView(OrganizationStatisticsView):
    """``/organizations/<id>/statistics/shows/``."""

    query = PeriodQuery
    answer = described.OrganizationShowsSerializer

    def get(self, request: Request, organization_id: UUID) -> Response:
        """The hundred shows with the most downloads in the period, first."""
        all_shows, period = self.rows(), self.period()
        ranked = totals.top_shows(all_shows, period, limit=MOST_SHOWS)
        rows = [
            {"show": show.id, "title": show.title, "downloads": show.downloads} for show in ranked
        ]
        return Response(self.of() | answers.in_period(period) | {"rows": rows})
