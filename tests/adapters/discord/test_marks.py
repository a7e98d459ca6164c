"""Signs on messages, under Discord's narrow limit for them and after a restart."""

import pytest

from adapters.discord.adapter import DiscordAdapter
from gateway.errors import NotSupported, RetryLater
from gateway.ids import MessageId
from gateway.messages import Mark
from tests.adapters.discord.conftest import at
from tests.fakes.discord import FakeDiscord, User
from tests.fakes.faults import Answer, RateLimit


def named(ann: User) -> MessageId:
    return MessageId(f"{ann.dm.id}:{ann.dm.shown()[-1].id}")


async def test_the_moment_between_two_signs_is_waited_for(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User
) -> None:
    server.rates.enabled = True
    server.rates.buckets |= {"react": (1, 0.5)}
    message = ann.writes("hi")
    await adapter.mark(at(ann.dm), named(ann), Mark.SEEN)
    await adapter.mark(at(ann.dm), named(ann), Mark.FAILED)
    assert list(message.reactions) == ["❌"]
    assert [call for call in server.log if call.refused] == []


async def test_a_long_penalty_is_not_waited_for(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User
) -> None:
    ann.writes("hi")
    server.faults.add(RateLimit(retry_after=30), path="/reactions/", times=1)
    with pytest.raises(RetryLater):
        await adapter.mark(at(ann.dm), named(ann), Mark.SEEN)
    assert len(server.calls("react")) == 1


async def test_a_sign_of_an_earlier_process_goes(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User
) -> None:
    message = ann.writes("hi")
    message.reactions["👀"] = [server.world.bot_id]
    await adapter.mark(at(ann.dm), named(ann), Mark.DONE)
    assert list(message.reactions) == ["✅"]


async def test_one_message_that_takes_no_sign_says_nothing_of_the_next(
    adapter: DiscordAdapter, server: FakeDiscord, ann: User
) -> None:
    ann.writes("hi")
    refusal = Answer(403, {"message": "Reaction was blocked", "code": 90001})
    server.faults.add(refusal, path="/reactions/", times=1)
    with pytest.raises(NotSupported):
        await adapter.mark(at(ann.dm), named(ann), Mark.SEEN)
    message = ann.writes("hi again")
    await adapter.mark(at(ann.dm), named(ann), Mark.SEEN)
    assert list(message.reactions) == ["👀"]
