"""The demo's picture, painted on the spot: a PNG of a sunrise."""

import base64
import struct
import zlib
from functools import cache
from itertools import chain

_WIDTH, _HEIGHT = 192, 128
_SKY, _HORIZON, _SEA = (38, 38, 92), (250, 150, 90), (24, 60, 96)
_SUN = (255, 226, 130)
_SUN_AT, _SUN_RADIUS = (96, 76), 26
_SEA_FROM = 84

Color = tuple[int, int, int]


@cache
def picture_base64() -> str:
    return base64.b64encode(_png()).decode("ascii")


def _png() -> bytes:
    rows = (b"\0" + bytes(chain.from_iterable(_row(y))) for y in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    return b"".join((
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", header),
        _chunk(b"IDAT", zlib.compress(b"".join(rows), 9)),
        _chunk(b"IEND", b""),
    ))


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def _row(y: int) -> list[Color]:
    if y >= _SEA_FROM:
        return [_SEA] * _WIDTH
    sky = _between(_SKY, _HORIZON, y / _SEA_FROM)
    return [_SUN if _is_sun(x, y) else sky for x in range(_WIDTH)]


def _is_sun(x: int, y: int) -> bool:
    across, down = x - _SUN_AT[0], y - _SUN_AT[1]
    return across * across + down * down <= _SUN_RADIUS * _SUN_RADIUS


def _between(top: Color, bottom: Color, share: float) -> Color:
    red, green, blue = (
        round(high + (low - high) * share) for high, low in zip(top, bottom, strict=True)
    )
    return red, green, blue
