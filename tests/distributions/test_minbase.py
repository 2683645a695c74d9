from __future__ import annotations

import pytest

from pinner.distributions import minbase
from pinner.errors import Refused


@pytest.mark.parametrize(("suite", "count"), [("bookworm", 88), ("trixie", 78)])
@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_sizes_of_the_official_images(suite: str, count: int, arch: str) -> None:
    names = minbase.names(suite, arch)
    assert len(names) == count
    assert {"apt", "base-files", "dpkg", "libc6", "perl-base"} < set(names)
    assert list(names) == sorted(set(names))


def test_an_architecture_that_lacks_one() -> None:
    assert set(minbase.names("sid", "amd64")) - set(minbase.names("sid", "riscv64")) == {"libseccomp2"}


def test_unknown_suite() -> None:
    with pytest.raises(Refused, match="contents of noble base images"):
        minbase.names("noble", "amd64")
