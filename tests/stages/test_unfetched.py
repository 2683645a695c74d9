"""Install commands without package lists, of which real apt says "Unable to locate package"."""

from __future__ import annotations

from pathlib import Path

from tests.cli.workbench import Workbench, debian
from tests.images.test_image_archive import archive, saved
from tests.registry import make, official
from tests.simulator import SimulatedArchive

STATUS = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n"
IN, RM = "apt-get install -y jq", "rm -rf /var/lib/apt/lists/*"
BARE = [
    f"RUN {IN}",
    f"RUN set -eux; export A=1; mkdir -p /x && DEBIAN_FRONTEND=noninteractive {IN}",
    f"# apt-get update\nCOPY x /x\nRUN echo 'deb http://x y z' > /etc/apt/notes\nRUN {IN}",
    f"RUN apt-get update && apt-get install -y curl && {RM}\nRUN {IN}",
    f"RUN apt-get update \\\n && apt-get install -y curl \\\n && {RM}\nFROM b\nRUN useradd x\nRUN {IN}",
]
FILLED = [
    f"RUN apt-get update && {IN}",
    f"RUN apt-get update\nRUN {IN}",
    f"RUN {RM} && apt-get update && {IN}",
    f"RUN if make x; then {RM}; fi\nRUN {IN}",
    "RUN apt-get install -y bash",  # the image holds it
    "RUN apt-get install -y --update jq",
    "RUN install_packages jq",
    f"RUN ./prepare && {IN}",
    f"RUN curl https://x.example/setup | bash - && {IN}",
    f"RUN apt-get update && {RM}/partial && {IN}",
    f"RUN --mount=type=cache,target=/var/lib/apt {IN}",
    f"COPY --from=x / /\nRUN {IN}",
    f"RUN <<X\n./prepare\n{IN}\nX",
]


def test_no_lists(tmp_path: Path) -> None:
    simulated = SimulatedArchive()
    debian(simulated, "bookworm").package("jq", "1").package("curl", "8").package("bash", "5.2-1")
    image = archive(
        tmp_path, saved(make({**official("bookworm"), "var/lib/dpkg/status": STATUS}, packing="plain"))
    )
    (tmp_path / "project").mkdir()
    with simulated.serve():
        bench = Workbench(tmp_path / "project", simulated, tmp_path)
        for number, text in enumerate((*BARE, *FILLED)):
            bench.write(f"{number}/Dockerfile", f"FROM debian:bookworm AS b\n{text}\n")
        result = bench.run("verify", "--image-archive", str(image), "--platform", "amd64")
        assert "Traceback" not in result.err
        found = {line.partition("/")[0] for line in result.out.splitlines() if "[no-lists]" in line}
        assert found == {str(number) for number in range(len(BARE))}
        text = f"FROM debian:bookworm\n{BARE[0]}\n"
        bench.write("one/Dockerfile", text)
        result = bench.run("lock", "--image-archive", str(image), "--platform", "amd64", "one")
        assert (result.status, "one/Dockerfile:2  apt-get install  note [no-lists]: " in result.out) == (
            0,
            True,
        )
