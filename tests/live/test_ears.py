"""A process hears each board once, whatever the number of dashboards that are open there."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from apps.live.ears import listen, stop_listening
from tests.live.dialling import eventually

pytestmark = pytest.mark.usefixtures("clean_valkey")
GROUP = "show.of-this-test"


async def say(text: str) -> None:
    layer: Any = get_channel_layer()
    await layer.group_send(GROUP, {"type": "board.message", "text": text})


def test_all_hear_by_one_ear_until_they_stop() -> None:
    heard: dict[str, list[str]] = {"ann": [], "bob": []}

    async def talk() -> tuple[int, bool]:
        layer: Any = get_channel_layer()
        for name, texts in heard.items():
            await listen(GROUP, name, texts.append)
        name = layer._get_group_channel_name(GROUP)
        ears = len(layer.groups[name])
        await say("one")
        await eventually(lambda: all(heard.values()))
        stop_listening(GROUP, "ann")
        await say("two")
        await eventually(lambda: len(heard["bob"]) == 2)
        stop_listening(GROUP, "bob")
        await eventually(lambda: name not in layer.groups)
        return ears, name in layer.groups

    assert async_to_sync(talk)() == (1, False)
    assert heard == {"ann": ["one"], "bob": ["one", "two"]}


def test_whoever_comes_after_the_last_one_left_hears_too() -> None:
    heard: list[str] = []

    async def talk() -> None:
        await listen(GROUP, "ann", heard.append)
        stop_listening(GROUP, "ann")
        await listen(GROUP, "bob", heard.append)
        await asyncio.sleep(0)  # the first ear has said goodbye, or is about to
        await say("one")
        await eventually(lambda: heard == ["one"])
        stop_listening(GROUP, "bob")

    async_to_sync(talk)()


def test_without_valkey_nobody_is_let_in_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(group: str, channel: str) -> None:
        raise ConnectionError("Valkey is away")

    async def talk() -> list[str]:
        heard: list[str] = []
        layer: Any = get_channel_layer()
        with monkeypatch.context() as outage:
            outage.setattr(layer._get_layer(), "group_add", away)
            with pytest.raises(ConnectionError):
                await listen(GROUP, "ann", heard.append)
        stop_listening(GROUP, "ann")
        await listen(GROUP, "ann", heard.append)
        await say("one")
        await eventually(lambda: len(heard) == 1)
        stop_listening(GROUP, "ann")
        return heard

    assert async_to_sync(talk)() == ["one"]


def test_a_broken_message_makes_nobody_deaf(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    async def talk() -> None:
        layer: Any = get_channel_layer()
        await listen(GROUP, "ann", heard.append)
        await layer.group_send(GROUP, {"type": "board.message"})
        await say("one")
        await eventually(lambda: heard == ["one"])
        stop_listening(GROUP, "ann")

    async_to_sync(talk)()
    assert "can't be read" in caplog.text
