"""`python -m pinner`."""

from pinner.cli.main import main

main()
