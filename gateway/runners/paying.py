"""A model call with its price: money is held before it is made, and settled however it ends."""

from collections.abc import AsyncGenerator

from gateway.contracts.provider import ModelRequest
from gateway.events import TextDelta, TextRestarted
from gateway.runners.asking import Answer, ask
from gateway.runners.kit import RunnerKit, Scene
from gateway.runners.retry import Tries


async def ask_and_pay(
    kit: RunnerKit, scene: Scene, request: ModelRequest, answer: Answer, tries: Tries
) -> AsyncGenerator[TextDelta | TextRestarted, None]:
    """As `ask`. The answer's entry settles what is held; a call that breaks off is settled here.

    Raises:
        Refused: a budget has no room for the call.
    """
    payer = scene.turn.kept.payer
    answer.hold = await kit.purse.hold(payer, tries.models, [request])
    asking = ask(kit.provider, request, answer, tries, kit.clock)
    try:
        async for delta in asking:
            yield delta
    except BaseException:
        await asking.aclose()
        usage = answer.usage_so_far(lambda text: kit.purse.estimate(request, text))
        await kit.purse.settle(answer.hold, scene.run.session, payer, tries.model, usage)
        raise
