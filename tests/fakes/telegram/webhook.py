"""Updates by webhook: posted to the bot until it answers with success.

Facts: https://core.telegram.org/bots/api#setwebhook
"""

import re
from typing import Any

import aiohttp

from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.refusal import bad_request, conflict
from tests.fakes.telegram.world import World

_FIRST_RETRY = 1.0
_LAST_RETRY = 60.0
_ANSWER_SECONDS = 60.0


class Webhook:
    """Where updates go, and the loop that takes them there one after the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.url = ""
        self.secret = ""
        self.last_error = ""
        self.last_error_at = 0
        self.attempts = 0
        """How many posts were made, retries included."""

    def set(self, call: Call) -> Any:
        url = call.text("url")
        secret = call.text("secret_token")
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise bad_request("secret token contains unallowed characters")
        if url and not url.startswith(("https://", "http://127.0.0.1")):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if not 1 <= call.integer("max_connections", 40) <= 100:
            raise bad_request("max_connections must be in the range 1-100")
        self.url, self.secret = url, secret
        updates = self._world.updates
        updates.allow(call.json("allowed_updates"))
        if call.flag("drop_pending_updates"):
            updates.clear()
        updates.has_webhook = bool(url)
        updates.end_polls(conflict("terminated by setWebhook request") if url else None)
        return True

    def delete(self, call: Call) -> Any:
        if call.flag("drop_pending_updates"):
            self._world.updates.clear()
        self.url = ""
        self._world.updates.has_webhook = False
        return True

    def info(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._world.updates.pending),
        }
        if self.last_error:
            shown["last_error_date"] = self.last_error_at
            shown["last_error_message"] = self.last_error
        return shown

    async def deliver(self) -> None:
        """Post updates in order until cancelled; a refused one is tried again, later."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            pause = _FIRST_RETRY
            while True:
                update = await self._next()
                if await self._post(session, update):
                    self._world.updates.confirm_one(update)
                    pause = _FIRST_RETRY
                else:
                    await self._world.clock.sleep(pause)
                    pause = min(_LAST_RETRY, pause * 2)

    async def _next(self) -> dict[str, Any]:
        updates = self._world.updates
        while not (self.url and (updates.again or updates.pending)):
            updates.arrived.clear()
            await updates.arrived.wait()
        return updates.again.pop(0) if updates.again else updates.pending[0]

    async def _post(self, session: aiohttp.ClientSession, update: dict[str, Any]) -> bool:
        self.attempts += 1
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.secret} if self.secret else {}
        try:
            async with session.post(self.url, json=update, headers=headers) as answer:
                if answer.ok:
                    return True
                failure = f"Wrong response from the webhook: {answer.status}"
        except (aiohttp.ClientError, TimeoutError) as failed:
            failure = f"Connection failed: {type(failed).__name__}"
        self.last_error, self.last_error_at = failure, int(self._world.clock.now())
        return False
