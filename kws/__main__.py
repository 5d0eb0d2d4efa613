"""`python -m kws`: the `kws` command, where its script is not on the path."""

from kws.cli import main

main()
