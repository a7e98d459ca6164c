"""`python -m gateway` is `parley`."""

from gateway.cli.main import main

main()
