"""Draws docs/terminal.svg: a real `parley chat` on a terminal of tmux, with the offline demo.

.venv/bin/python scripts/draw_terminal.py
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent.parent / "docs/terminal.svg"
DATA = Path(tempfile.gettempdir()) / "parley"
WIDTH, HEIGHT = 80, 45
TYPED = (("tour", "🔧"), ("/status", "Queue"))
"""Lines, and what each answer ends with."""
FROM_THE_WEB = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)
PATIENCE = 20


def tmux(*arguments: str) -> str:
    command = ["tmux", "-L", "parley-picture", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wait_for(words: str) -> None:
    until = time.monotonic() + PATIENCE
    while words not in tmux("capture-pane", "-p"):
        if time.monotonic() > until:
            raise TimeoutError(words)
        time.sleep(0.1)
    time.sleep(0.5)  # for what follows on the same screen, the prompt


def chat() -> str:
    """Return the screen after the conversation, with its colours as escape codes."""
    parley = Path(sys.executable).with_name("parley")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    variables = [f"{name}={value}" for name, value in kept.items()]
    variables += [f"PARLEY_DATA_DIR={DATA}", "TERM=tmux-256color"]
    size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
    tmux("-u", "new-session", "-d", *size, "env", "-i", *variables, str(parley), "chat")
    try:
        wait_for(">")
        for line, end in TYPED:
            tmux("send-keys", line, "Enter")
            wait_for(end)
        return tmux("capture-pane", "-e", "-p").rstrip()
    finally:
        tmux("kill-server")


def main() -> None:
    if DATA.exists():
        sys.exit(f"{DATA} is in the way: the picture shows a first conversation")
    try:
        screen = Text.from_ansi(chat())
    finally:
        shutil.rmtree(DATA, ignore_errors=True)
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(screen)
    form = FROM_THE_WEB.sub("", CONSOLE_SVG_FORMAT)
    PICTURE.write_text(console.export_svg(title="parley chat", code_format=form))


main()
