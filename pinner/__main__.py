"""`python -P -m pinner`: without -P, Python looks for modules in the current directory first."""

from pinner.cli.main import main

main()
