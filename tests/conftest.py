"""The default run is the same run for everybody: property tests draw fixed examples.

`pytest --hypothesis-profile=search` draws new ones, as a change to a parser deserves.
"""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.pop(
    "CI", None
)  # in CI pinner asks no private address, and the archives of the tests have such ones

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("fixed")
