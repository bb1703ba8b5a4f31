"""What follows a commit once, in however many steps it was asked for."""

import pytest
from django.db import transaction

from apps.core.commits import gather_on_commit, is_to_follow, once_on_commit

pytestmark = pytest.mark.django_db(transaction=True)


def test_all_of_a_transaction_is_gathered_by_key_and_in_order() -> None:
    done: list[object] = []
    with transaction.atomic():
        for item in (3, 1, 3):
            gather_on_commit("a", done.append, [item])
            once_on_commit("b", lambda: done.append("b"))
        assert done == []
    assert done == [[3, 1, 3], "b"]


def test_outside_a_transaction_it_is_called_at_once_each_time() -> None:
    done: list[list[int]] = []
    for item in (1, 2):
        gather_on_commit("a", done.append, [item])
    assert done == [[1], [2]]


def test_what_is_asked_while_it_is_called_is_called_after_it() -> None:
    done: list[list[int]] = []

    def call(items: list[int]) -> None:
        done.append(items)
        if len(done) == 1:
            with transaction.atomic():
                gather_on_commit("a", done.append, [2])

    with transaction.atomic():
        gather_on_commit("a", call, [1])
    assert done == [[1], [2]]


def test_a_savepoint_that_is_rolled_back_takes_along_what_it_asked_first() -> None:
    done: list[str] = []
    with transaction.atomic():
        with transaction.atomic():
            once_on_commit("a", lambda: done.append("undone"))
            transaction.set_rollback(True)
        assert not is_to_follow("a")
        with transaction.atomic():
            once_on_commit("a", lambda: done.append("kept"))
        with transaction.atomic():
            once_on_commit("a", lambda: done.append("too late"))
            transaction.set_rollback(True)
        assert is_to_follow("a")
    assert done == ["kept"]


def test_nothing_is_undone_by_what_follows() -> None:
    done: list[str] = []

    def fail() -> None:
        raise RuntimeError("after the commit")

    with transaction.atomic():
        once_on_commit("a", fail)
        once_on_commit("b", lambda: done.append("b"))
    assert done == ["b"]
