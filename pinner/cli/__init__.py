"""One module a command: flags to options, one workflow, print, exit status."""
