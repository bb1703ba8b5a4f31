"""What is stored of listening: what lives as long as its day is open, and what is kept."""

from apps.downloads.models.day import Coverage, DayKey, DayListener, HitBatch
from apps.downloads.models.kept import ClosedDay, Download, DropTally, LoggedDay
from apps.downloads.models.milestones import Milestone, MilestoneWatch
from apps.downloads.models.stream import StreamPosition
from apps.downloads.models.totals import (
    DayTotal,
    Dimension,
    FirstDays,
    HourTotal,
    ListenerTotal,
    MonthArrival,
    MonthKey,
    MonthListeners,
    MonthTotal,
)

__all__ = [
    "ClosedDay",
    "Coverage",
    "DayKey",
    "DayListener",
    "DayTotal",
    "Dimension",
    "Download",
    "DropTally",
    "FirstDays",
    "HitBatch",
    "HourTotal",
    "ListenerTotal",
    "LoggedDay",
    "Milestone",
    "MilestoneWatch",
    "MonthArrival",
    "MonthKey",
    "MonthListeners",
    "MonthTotal",
    "StreamPosition",
]
