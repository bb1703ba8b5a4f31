"""When people download: weekday by hour, in the show's time zone."""

from apps.downloads import chart_tables, charts
from apps.downloads.subject import Subject
from apps.downloads.totals import Period
from frontend.statistics import words
from frontend.statistics.panel import NOTHING, GridCell, GridRow, Panel


def week_panel(subject: Subject, period: Period) -> Panel:
    """When people download: weekday by hour."""
    grid = charts.week(subject.scope, period, subject.zone)
    highest = max(max(row) for row in grid)
    rows = [
        GridRow(
            name=name,
            short=name[:2],
            cells=[
                GridCell(
                    hour=hour,
                    count=count,
                    level=-(-8 * count // highest) if highest else 0,
                    words=f"{name}, {hour:02}:00\n{words.counted(count)}",
                )
                for hour, count in enumerate(row)
            ],
        )
        for name, row in zip(chart_tables.WEEKDAYS, grid, strict=True)
    ]
    return Panel(
        key="week",
        title="When they download",
        note=f"Weekday by hour, as in {subject.zone_name}",
        table=chart_tables.week_table(grid),
        grid=rows if highest else (),
        empty="" if highest else NOTHING,
    )
