"""The busy show that charts are measured on: its totals agree, and every chart can be drawn."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum

from apps.downloads.models import (
    DayTotal,
    Dimension,
    DropTally,
    HourTotal,
    ListenerTotal,
    MonthTotal,
)
from bench.chart_seeding import BusyShow, seed_busy_show
from bench.charts import charts_of, time_charts
from tests.factories import EpisodeFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]


@pytest.fixture
def busy() -> BusyShow:
    return seed_busy_show(EpisodeFactory(), episodes=9, days=9)


def test_its_totals_agree(busy: BusyShow) -> None:
    hours = HourTotal.objects.filter(show=busy.show)
    days = DayTotal.objects.filter(show=busy.show)
    months = MonthTotal.objects.filter(show=busy.show)
    sums = [
        rows.aggregate(sum=Sum("downloads"))["sum"]
        for rows in (
            hours.filter(episode=None),
            hours.exclude(episode=None),
            days.filter(episode=None, dimension=Dimension.ALL),
            months.filter(episode=None, dimension=Dimension.ALL),
            months.exclude(episode=None).filter(dimension=Dimension.ALL),
        )
    ]
    assert sums[0] > 1000
    assert len(set(sums)) == 1
    apps = days.filter(episode=None, dimension=Dimension.APP).aggregate(sum=Sum("downloads"))
    assert apps["sum"] == pytest.approx(sums[0], rel=0.2)
    assert ListenerTotal.objects.filter(show=busy.show).exists()
    assert DropTally.objects.filter(show=busy.show).exists()


def test_its_newest_episode_comes_first(busy: BusyShow) -> None:
    moments = [at for _, at in busy.episodes]
    assert moments == sorted(moments, reverse=True)
    assert moments[-1] > datetime.now(UTC) - timedelta(days=9)


def test_every_chart_is_timed(busy: BusyShow) -> None:
    every = charts_of(busy)
    figures = list(time_charts(every, tries=2))
    assert len(figures) == len(every) > 20
    assert all(figure.value > 0 for figure in figures)
