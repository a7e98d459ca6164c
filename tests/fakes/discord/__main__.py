"""`python -m tests.fakes.discord --port 8084 --token T`."""

import argparse

from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.server import TOKEN
from tests.fakes.process import run

options = argparse.ArgumentParser()
options.add_argument("--port", type=int, default=0)
options.add_argument("--token", default=TOKEN)
options.add_argument("--username", default="parley")
given = options.parse_args()
run(FakeDiscord(token=given.token, username=given.username, port=given.port))
