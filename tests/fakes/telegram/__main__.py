"""`python -m tests.fakes.telegram --port 8083 --token 1:T`."""

import argparse

from tests.fakes.process import run
from tests.fakes.telegram import FakeTelegram

options = argparse.ArgumentParser()
options.add_argument("--port", type=int, default=0)
options.add_argument("--token", default="123456:TEST-TOKEN")
options.add_argument("--username", default="parley_bot")
given = options.parse_args()
run(FakeTelegram(token=given.token, username=given.username, port=given.port))
