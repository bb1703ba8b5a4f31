"""The consumer among other processes: threads and processes that see committed rows."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.db import OperationalError, connection

from apps.core.clock import now
from apps.downloads import counter, months, sketch, stream, turns
from apps.downloads.counter import Counter
from apps.downloads.keys import Keyed
from apps.downloads.models import (
    Download,
    DropTally,
    MonthArrival,
    MonthListeners,
    StreamPosition,
)
from tests.downloads.conftest import Aired, Send
from tests.downloads.making import OVERCAST, make_hit, whole
from tests.factories import EpisodeFactory
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def counted() -> int:
    return Download.objects.count()


def tallies() -> dict[str, int]:
    return dict(DropTally.objects.values_list("reason", "count"))


@pytest.fixture
def aired(transactional_db: None) -> Aired:
    return Aired(EpisodeFactory())


def test_two_counters_count_each_message_once(
    aired: Aired, send: Send, client: redis.Redis
) -> None:
    stop = threading.Event()
    heard: list[int] = []
    threads = [
        threading.Thread(
            target=Counter(lambda summary: heard.append(len(summary.downloads))).run,
            args=(stop,),
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    try:
        for number in range(50):
            send(
                *aired.hits(
                    whole(ip=f"10.0.0.{number}", when=now()), make_hit(method="HEAD", when=now())
                )
            )
        wait_until(lambda: counted() == 50 and client.xlen(stream.name()) == 0)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=20)

    assert not any(thread.is_alive() for thread in threads)
    assert sum(heard) == 50
    assert tallies() == {"method": 50}
    # Who left in order is remembered nowhere.
    assert client.xinfo_consumers(stream.name(), stream.GROUP) == []
    assert not StreamPosition.objects.exists()


def test_a_lost_connection_to_the_database_is_made_good(aired: Aired, send: Send) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=Counter().run, args=(stop,))
    thread.start()
    try:
        send(*aired.hits(whole(when=now())))
        wait_until(lambda: counted() == 1)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        send(*aired.hits(whole(ip="203.0.113.10", when=now())))
        wait_until(lambda: counted() == 2)
    finally:
        stop.set()
        thread.join(timeout=20)
    assert not thread.is_alive()


def test_what_a_counter_reads_under_a_name_that_it_has_lost_is_counted(
    aired: Aired, send: Send, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart of the database frees all names at once, and some counter waits for hits then."""
    with turns.taken() as name:
        late = Counter(consumer=name)
        late.step()
    with turns.taken() as name:  # of another, or of the same one that came back
        successor = Counter(consumer=name)
        successor.step()
        send(*aired.hits(whole(when=now())))
        with monkeypatch.context() as patch:
            patch.setattr(counter, "count", lambda *args, **kwargs: raise_operational_error())
            with pytest.raises(OperationalError):
                late.step()
        send(*aired.hits(whole(ip="203.0.113.10", when=now())))
        successor.step()
        successor.adopt()
    assert counted() == 2

    with turns.taken() as name:
        Counter(consumer=name).step()
    assert counted() == 2
    assert client.xlen(stream.name()) == 0


def raise_operational_error() -> None:
    raise OperationalError("the connection is gone")


@pytest.mark.faults
def test_a_killed_process_is_followed_by_one_that_counts_the_rest_exactly(
    aired: Aired, send: Send, tmp_path: Path
) -> None:
    total = 400
    when = now()  # the other processes live in real time
    for number in range(total):
        ip = f"10.0.{number // 250}.{number % 250}"
        send(*aired.hits(whole(ip=ip, when=when), make_hit(method="HEAD", when=when)))

    for goal in (1, 150, total):
        count_and_be_killed(tmp_path, goal)

    assert counted() == total
    assert tallies() == {"method": total}
    assert_listeners_of_the_month(aired, total)


@pytest.mark.faults
def test_of_two_processes_that_count_at_once_either_may_be_killed(
    aired: Aired, send: Send, client: redis.Redis, tmp_path: Path
) -> None:
    total = 600
    when = now()  # the other processes live in real time
    processes = [start_counting(tmp_path) for _ in range(2)]
    try:
        for number in range(total):
            ip = f"10.0.{number // 250}.{number % 250}"
            send(*aired.hits(whole(ip=ip, when=when), make_hit(method="HEAD", when=when)))
            if number == total // 2:
                wait_until(lambda: are_at_work(client, 2))
                processes[0].kill()
                processes[0].wait()
                processes.append(start_counting(tmp_path))
        wait_until(lambda: counted() == total and client.xlen(stream.name()) == 0)
    finally:
        for process in processes:
            process.kill()
            process.wait()

    assert tallies() == {"method": total}
    assert_listeners_of_the_month(aired, total)


def assert_listeners_of_the_month(aired: Aired, total: int) -> None:
    """The estimate is exactly that of a sketch that has seen each of them."""
    month = now().date().replace(day=1)
    keyed = Keyed(months.keys_of([month])[month])
    organization, show = aired.episode.organization_id, aired.episode.show_id
    who = [
        keyed.listener(organization, f"10.0.{number // 250}.{number % 250}", OVERCAST)
        for number in range(total)
    ]
    exact = sketch.count(sketch.add(sketch.empty(), sketch.marks(who)))
    assert months.listeners_by_month(show, month, month) == {month: exact}
    months.fold_all()
    assert MonthListeners.objects.get().listeners == exact
    assert not MonthArrival.objects.exists()


def are_at_work(client: redis.Redis, number: int) -> bool:
    try:
        return len(client.xinfo_consumers(stream.name(), stream.GROUP)) == number
    except redis.ResponseError:  # the first of them makes the group
        return False


def count_and_be_killed(folder: Path, goal: int) -> None:
    process = start_counting(folder)
    try:
        wait_until(lambda: counted() >= goal)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def start_counting(folder: Path) -> subprocess.Popen[bytes]:
    """``manage.py``'s counter, in a process of its own on this test's engines."""
    database = connection.settings_dict
    url = (
        f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}"
        f":{database['PORT']}/{database['NAME']}"
    )
    code = (
        "import django; django.setup();"
        "from threading import Event; from apps.downloads import counter;"
        "counter.BATCH_MESSAGES = 100; counter.FOLD_EVERY_SECONDS = 0;"
        "counter.Counter().run(Event())"
    )
    environment = os.environ | {
        "DATABASE_URL": url,
        "LONGWAVE_DATA": str(folder),
        "LONGWAVE_REDIS_PREFIX": django_settings.REDIS_PREFIX,
        "LONGWAVE_ADDRESS_CEILING": "0",
        "DJANGO_SETTINGS_MODULE": "hosting.settings",
    }
    return subprocess.Popen([sys.executable, "-c", code], env=environment)
