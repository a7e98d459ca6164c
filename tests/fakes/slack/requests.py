"""The Events API over HTTP: signed posts to the app, and posts that only look like them.

Facts: https://docs.slack.dev/authentication/verifying-requests-from-slack and
/apis/events-api#error-handling
"""

import hashlib
import hmac
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.fakes.slack.deliveries import Attempt, Delivery
from tests.fakes.slack.world import World

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Request:
    """A post as it was sent."""

    url: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app said to it."""

    status: int
    body: str
    headers: dict[str, str]


def signature(secret: str, timestamp: str, body: bytes) -> str:
    base = b"v0:" + timestamp.encode() + b":" + body
    return f"v0={hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()}"


class Requests:
    """Posts everything to the app's addresses; `sent` are the newest posts."""

    is_ordered = False

    def __init__(
        self, world: World, events: str, interactivity: str = "", commands: str = ""
    ) -> None:
        self._world = world
        self._urls = {
            "events_api": events,
            "interactive": interactivity or events,
            "slash_commands": commands or events,
        }
        self.sent: deque[Request] = deque(maxlen=_KEPT)

    async def hand_over(self, delivery: Delivery, attempt: Attempt) -> str:
        more: dict[str, str] = {}
        if attempt.number:
            more = {
                "x-slack-retry-num": str(attempt.number),
                "x-slack-retry-reason": attempt.reason,
            }
        kind, body = _body(delivery)
        request = self.signed(self._urls[delivery.kind], body, kind, more=more)
        try:
            async with self._world.clock.timeout(self._world.answer_seconds):
                answer = await self.post(request)
        except TimeoutError:
            return "http_timeout"
        except aiohttp.ClientError:
            return "connection_failed"
        if answer.headers.get("x-slack-no-retry") == "1" and answer.status != 200:
            return "no retry"
        if not 200 <= answer.status < 300:
            return "http_error"
        delivery.answer = _said(answer)
        return "acknowledged"

    def signed(
        self,
        url: str,
        body: bytes,
        kind: str = _JSON,
        *,
        age: float = 0.0,
        secret: str = "",
        more: Mapping[str, str] | None = None,
    ) -> Request:
        """Sign a body as Slack does, or as somebody who has another secret or clock."""
        timestamp = str(int(self._world.now() - age))
        headers = {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(secret or self._world.signing_secret, timestamp, body),
            **(more or {}),
        }
        return Request(url, body, headers)

    async def post(self, request: Request) -> Answer:
        """Post this and nothing else; also for `replay`s of what was `sent`."""
        self.sent.append(request)
        async with (
            aiohttp.ClientSession() as session,
            session.post(request.url, data=request.body, headers=request.headers) as answer,
        ):
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, await answer.text(), headers)

    async def verify(self) -> bool:
        """Ask the app to prove that the address is its own, as saving it in Slack does."""
        challenge = self._world.next_name("challenge")
        body = {"token": "verification-token", "challenge": challenge, "type": "url_verification"}
        request = self.signed(self._urls["events_api"], json.dumps(body).encode())
        try:
            answer = await self.post(request)
        except aiohttp.ClientError:
            return False
        return answer.status == 200 and challenge in answer.body

    # What is not Slack, or not now.

    def unsigned(self, request: Request) -> Request:
        kept = {"Content-Type": request.headers["Content-Type"]}
        return Request(request.url, request.body, kept)

    def forged(self, request: Request) -> Request:
        """Sign with a secret that is not the app's."""
        kind = request.headers["Content-Type"]
        return self.signed(request.url, request.body, kind, secret="not the secret")

    def aged(self, request: Request, seconds: float) -> Request:
        """Sign well, but so long ago."""
        kind = request.headers["Content-Type"]
        return self.signed(request.url, request.body, kind, age=seconds)

    def reencoded(self, request: Request) -> Request:
        """Keep the signature and the meaning, change the bytes."""
        if request.headers["Content-Type"] == _JSON:
            body = json.dumps(json.loads(request.body), indent=1).encode()
        else:
            body = request.body.replace(b"+", b"%20")
        return Request(request.url, body, request.headers)

    def flipped(self, request: Request, at: int = -1) -> Request:
        """Change one bit of the body."""
        body = bytearray(request.body)
        body[at] ^= 1
        return Request(request.url, bytes(body), request.headers)


def _body(delivery: Delivery) -> tuple[str, bytes]:
    match delivery.kind:
        case "interactive":
            return _FORM, urlencode({"payload": json.dumps(delivery.payload)}).encode()
        case "slash_commands":
            return _FORM, urlencode(delivery.payload).encode()
    return _JSON, json.dumps(delivery.payload, separators=(",", ":")).encode()


def _said(answer: Answer) -> Any:
    if not answer.body:
        return None
    if answer.headers.get("content-type", "").startswith(_JSON):
        return json.loads(answer.body)
    return answer.body
