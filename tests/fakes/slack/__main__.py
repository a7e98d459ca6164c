"""`python -m tests.fakes.slack --port 8084`."""

import argparse

from tests.fakes.process import run
from tests.fakes.slack import FakeSlack

options = argparse.ArgumentParser()
options.add_argument("--port", type=int, default=0)
options.add_argument("--bot-token", default="xoxb-test-bot-token")
options.add_argument("--app-token", default="xapp-test-app-token")
options.add_argument("--signing-secret", default="test-signing-secret")
options.add_argument("--post-to", default="", help="address of the app, for signed HTTP")
given = options.parse_args()
server = FakeSlack(
    bot_token=given.bot_token,
    app_token=given.app_token,
    signing_secret=given.signing_secret,
    port=given.port,
)
if given.post_to:
    server.posts_to(given.post_to)
run(server)
