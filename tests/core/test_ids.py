"""Identifiers: their form, their order, and that no two are the same."""

import subprocess
import sys
from uuid import RFC_4122, UUID

from apps.core.ids import Serial, new_id


def test_new_ids_are_version_7_and_sort_by_time() -> None:
    first, later = new_id(), new_id()
    assert {first.version, later.version} == {7}
    assert first.variant == RFC_4122
    assert first.int >> 80 <= later.int >> 80


def test_serial_ids_are_distinct_uuids() -> None:
    serial, other = Serial(), Serial()
    ids = [UUID(one.new()) for _ in range(1000) for one in (serial, other)]
    assert len(set(ids)) == 2000
    assert {(one.version, one.variant) for one in ids} == {(8, RFC_4122)}


def test_a_forked_process_begins_its_own() -> None:
    # In a program of its own: this one has threads, which a fork would leave behind.
    script = """
import os
from apps.core.ids import Serial
serial = Serial()
print(serial.new(), flush=True)
if not os.fork():
    print(serial.new(), flush=True)
    os._exit(0)
os.wait()
"""
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    parent, child = told.stdout.split()
    assert parent[:23] != child[:23]
