"""Draws docs/rendering.html: what people see of the bot on each platform that is installed.

.venv/bin/python -m scripts.draw_rendering
"""

import asyncio
from pathlib import Path

from scripts.rendering.page import page
from scripts.rendering.playing import platforms, play

PAGE = Path(__file__).parent.parent / "docs/rendering.html"


async def main() -> None:
    PAGE.write_text(page({name: await play(name) for name in platforms()}))
    print(f"{PAGE}: {PAGE.stat().st_size:,} bytes")


if __name__ == "__main__":
    asyncio.run(main())
