"""Codes that people copy from one place to another, and what the store knows them by."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 letters and digits that are not mistaken for one another: 40 bits in 8 of them."""
_LENGTH = 8
_KEY_BYTES = 32


class Codes:
    """Makes codes; whoever has only the database learns none."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file

    def new(self) -> str:
        return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))

    def hashed(self, code: str, purpose: str) -> str:
        """Return what a code is found by; the same letters mean nothing for another purpose."""
        said = f"{purpose}{code.strip().upper()}"
        return hmac.new(self._key(), said.encode(), hashlib.sha256).hexdigest()

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
