"""Pairing: a stranger gets a code, the owner approves it, the stranger is let in."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from gateway.contracts.people import PairingRequest, People
from gateway.ids import ExternalUser, PlatformName
from gateway.messages import Message

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 letters and digits that are not mistaken for one another: 40 bits in 8 of them."""
_LENGTH = 8
_KEY_BYTES = 32
_LIFETIME = 3600.0
_NOTICE_EVERY = 86_400.0


class Pairing:
    """Hands out codes and redeems them; the store sees only keyed hashes."""

    def __init__(self, people: People, key_file: Path) -> None:
        self._people = people
        self._key_file = key_file

    async def ask(self, message: Message) -> str | None:
        """Return a new code for the sender, or None when they had one within a day."""
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        is_new = await self._people.request_pairing(
            message, self._hash(code), lifetime=_LIFETIME, notice_every=_NOTICE_EVERY
        )
        return code if is_new else None

    async def approve(self, code: str) -> PairingRequest | None:
        """Let in who holds the code; None when it is wrong, used or expired."""
        request = await self._people.redeem_pairing(self._hash(code.strip().upper()))
        if request is not None:
            await self.admit(request.platform, request.external_user, request.name)
        return request

    async def admit(self, platform: PlatformName, user: ExternalUser, name: str = "") -> None:
        await self._people.admit(platform, user, name=name, role="member")

    async def dismiss(self, platform: PlatformName, user: ExternalUser) -> bool:
        return await self._people.dismiss(platform, user)

    def _hash(self, code: str) -> str:
        return hmac.new(self._key(), code.encode(), hashlib.sha256).hexdigest()

    def _key(self) -> bytes:
        """Read the key, making it at first use, in a file that the database is not."""
        key = self._key_file.read_bytes() if self._key_file.exists() else b""
        if len(key) == _KEY_BYTES:
            return key
        key = secrets.token_bytes(_KEY_BYTES)
        file = os.open(self._key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(key)
        return key
