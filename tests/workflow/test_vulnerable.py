"""`pinner verify --cve` against stand-ins of the two services, in the formats that these document."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pinner.archive.advisories import URLS, Advisories
from pinner.archive.cache import Cache
from pinner.archive.network import Network
from pinner.errors import FetchError
from tests.cli.workbench import Workbench, ubuntu
from tests.simulator import NOW, SimulatedArchive

TRACKER, OSV = ("/" + "/".join(URLS[name].split("/")[3:]) for name in ("debian", "ubuntu"))
FIXED, OPEN, MINOR, OTHER = (f"CVE-2026-{number}" for number in (1, 2, 3, 4))


def tracker(archive: SimulatedArchive, issues: Mapping[str, Mapping[str, Any]]) -> None:
    """The tracker's document: by source package and CVE, what holds for bookworm."""
    whole = {
        source: {
            number: {"scope": "local", "releases": {"bookworm": {"repositories": {"bookworm": "1"}, **state}}}
            for number, state in own.items()
        }
        for source, own in issues.items()
    }
    archive.pool[TRACKER] = json.dumps(whole, indent=1).encode()


def osv(archive: SimulatedArchive, *records: Mapping[str, Any]) -> None:
    """Canonical's archive of records."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as tar:
        for record in records:
            text = json.dumps(record).encode()
            member = tarfile.TarInfo(f"osv/cve/2026/{record['id']}.json")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    archive.pool[OSV] = packed.getvalue()


def configure(bench: Workbench, text: str = "") -> None:
    """The services are asked at the archive's address, too."""
    bench.configure(text)
    hosts = "".join(f'"https://{url.split("/")[2]}" = "{bench.archive.url}"\n' for url in URLS.values())
    bench.write("pinner.toml", bench.read("pinner.toml") + hosts)


@pytest.fixture
def exposed(bench: Workbench) -> Workbench:
    """A lock with an old curl, for which an update with one fix waits."""
    configure(bench)
    assert bench.run("lock").status == 0
    security = next(each for each in bench.archive.suites if each.name == "bookworm-security")
    security.package("curl", "7.88.1-10+deb12u15")
    tracker(
        bench.archive,
        {
            "curl": {
                FIXED: {"status": "resolved", "fixed_version": "7.88.1-10+deb12u15", "urgency": "high"},
                OPEN: {"status": "open", "urgency": "medium"},
                MINOR: {"status": "open", "urgency": "unimportant", "nodsa": "Minor issue"},
                OTHER: {"status": "resolved", "fixed_version": "7.88.1-10+deb12u2", "urgency": "high"},
            },
            "nosuch": {"CVE-2026-5": {"status": "open", "urgency": "high"}},
        },
    )
    return bench


def test_what_the_update_mends_and_what_stays_open(exposed: Workbench) -> None:
    done = exposed.run("verify", "--cve")
    assert done.status == 0
    assert f"7.88.1-10+deb12u15 is available and fixes {FIXED} (high); locked for Dockerfile" in done.out
    assert f"open: {OPEN} (medium), {MINOR} (unimportant); locked for Dockerfile" in done.out
    assert OTHER not in done.out
    (found,) = json.loads(exposed.run("verify", "--cve", "--json").out)["vulnerabilities"]
    assert (found["source"], found["release"], found["packages"]) == ("curl", "bookworm", ["curl"])
    assert [one["id"] for one in found["fixed"]] == [FIXED]
    assert found["open"][1]["note"] == "no advisory: Minor issue"
    assert found["fixed"][0]["url"] == f"https://security-tracker.debian.org/tracker/{FIXED}"
    assert "CVE" not in exposed.run("verify").out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("--fail-on cve:critical", 0),
        ("--fail-on cve:high", 1),
        ("--fail-on cve:medium", 1),
        ("--fail-on cve:high --fail-on none", 1),
        ("--fail-on none --cve", 0),
    ],
)
def test_fail_on(exposed: Workbench, arguments: str, status: int) -> None:
    assert exposed.run("verify", *arguments.split()).status == status


def test_not_rated_counts_where_a_fix_waits(exposed: Workbench) -> None:
    state = {"status": "resolved", "fixed_version": "7.88.1-10+deb12u15", "urgency": "not yet assigned"}
    tracker(exposed.archive, {"curl": {FIXED: state}})
    assert exposed.run("verify", "--fail-on", "cve:critical").status == 1
    tracker(exposed.archive, {"curl": {FIXED: {**state, "status": "open"}}})
    exposed.run("cache", "clear")
    assert exposed.run("verify", "--fail-on", "cve:critical").status == 0


def test_accepted(exposed: Workbench) -> None:
    rule = '[policy]\nfail-on = ["cve:high"]\n[[policy.accept]]\nid = "{}"\nreason = "not reachable"\n{}'
    configure(exposed, rule.format(FIXED, ""))
    done = exposed.run("verify")
    assert done.status == 0 and FIXED not in done.out
    document = json.loads(exposed.run("verify", "--json").out)
    assert document["vulnerabilities"][0]["fixed"][0]["accepted"] == "accepted: not reachable"
    configure(exposed, rule.format(FIXED, "until = 2026-01-01"))
    done = exposed.run("verify")
    assert done.status == 1
    assert f"{FIXED} was accepted until 2026-01-01 (not reachable): it counts again" in done.err
    configure(exposed, rule.format(FIXED, 'package = "jq"'))
    assert exposed.run("verify").status == 1
    configure(exposed, '[policy]\n[[policy.accept]]\nid = "CVE-2026-1"\n')
    assert exposed.run("verify").status == 3


def test_a_service_that_does_not_answer_is_no_clean_bill(exposed: Workbench) -> None:
    del exposed.archive.pool[TRACKER]
    done = exposed.run("verify", "--cve")
    assert done.status == 5
    assert "bookworm" in done.out and "its vulnerabilities are not known" in done.out
    assert "security-tracker.debian.org/tracker/data/json: HTTP status 404" in done.err


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"curl": 1}', b'{"curl": {"CVE-1": {}}}', b"\x1f\x8b\x08broken"]
)
def test_an_answer_in_another_format(exposed: Workbench, body: bytes) -> None:
    exposed.archive.pool[TRACKER] = body
    done = exposed.run("verify", "--cve")
    assert done.status == 5 and "not in the format that is documented" in done.err


def test_refresh_tells_what_it_mends(exposed: Workbench) -> None:
    done = exposed.run("refresh", "--cve", "--dry-run", "--summary", "body.md")
    assert done.status == 0
    assert f"fixed in curl 7.88.1-10+deb12u15: {FIXED} (high)\n" in done.err
    link = f"https://security-tracker.debian.org/tracker/{FIXED}"
    line = f"- `curl` `7.88.1-10+deb12u14` → `7.88.1-10+deb12u15`: [CVE-2026-1]({link}) (high)"
    assert line in exposed.read("body.md")
    del exposed.archive.pool[TRACKER]
    exposed.run("cache", "clear")
    done = exposed.run("refresh", "--cve")
    assert done.status == 5 and "deb12u15" in exposed.read("Dockerfile")  # what could be done is done


def test_ubuntu(bench: Workbench) -> None:
    ubuntu(bench.archive, "noble")
    for suite in bench.archive.suites:
        if suite.name == "noble":
            suite.package("libcurl4t64", "8.5.0-2ubuntu10", source="curl (8.5.0-2ubuntu10)")
        elif suite.name == "noble-security":
            suite.package("libcurl4t64", "8.5.0-2ubuntu10.1", source="curl (8.5.0-2ubuntu10.1)")
    configure(bench)
    bench.write("Dockerfile", "FROM ubuntu:24.04\nRUN apt-get install -y libcurl4t64=8.5.0-2ubuntu10\n")
    assert bench.run("lock").status == 0
    affected = {
        "package": {"ecosystem": "Ubuntu:24.04:LTS", "name": "curl"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "8.5.0-2ubuntu10.1"}]}],
    }
    severity = [{"type": "Ubuntu", "score": "medium"}]
    osv(
        bench.archive,
        {"id": f"UBUNTU-{FIXED}", "upstream": [FIXED], "severity": severity, "affected": [affected]},
    )
    done = bench.run("verify", "--fail-on", "cve:medium")
    assert done.status == 1
    assert f"8.5.0-2ubuntu10.1 is available and fixes {FIXED} (medium)" in done.out


def test_once_a_day(tmp_path: Any) -> None:
    archive = SimulatedArchive()
    archive.validators = True

    def ask(days: float, *releases: str) -> str:
        now = NOW + timedelta(days=days)
        mirrors = {"https://security-tracker.debian.org": archive.url}
        feed = Advisories(Network(Cache(tmp_path), now, mirrors=mirrors, wait=archive.wait)).of(
            "debian", dict.fromkeys(releases, "")
        )
        assert set(releases) <= feed.known.keys()
        return feed.note

    with archive.serve():
        tracker(archive, {"curl": {OPEN: {"status": "open", "urgency": "low"}}})
        ask(0, "bookworm")
        ask(0.9, "bookworm")
        assert archive.requests.count(TRACKER) == 1
        ask(1.1, "bookworm")  # 304
        assert archive.requests.count(TRACKER) == 2
        ask(1.2, "trixie")  # what is kept has no other release
        assert archive.requests.count(TRACKER) == 3
        ask(1.3, "bookworm", "trixie")
        assert archive.requests.count(TRACKER) == 3
        archive.status("*", 503)
        assert "HTTP status 503" in ask(3, "bookworm") and "as of 2026-11-25" in ask(3, "bookworm")
        with pytest.raises(FetchError):
            ask(9, "bookworm")


def test_packed_redirected_and_offline(tmp_path: Any) -> None:
    archive = SimulatedArchive()
    with archive.serve():
        tracker(archive, {"curl": {OPEN: {"status": "open", "urgency": "low"}}})
        plain = archive.pool[TRACKER]
        archive.pool["/packed"] = gzip.compress(plain)
        archive.redirect(f"*{TRACKER}", "/packed", times=1)
        mirrors = {"https://security-tracker.debian.org": archive.url}
        feed = Advisories(Network(Cache(tmp_path / "one"), NOW, mirrors=mirrors)).of(
            "debian", {"bookworm": "12"}
        )
        assert feed.known["bookworm"]["curl"][0].id == OPEN
    copy = tmp_path / f"copy{TRACKER}"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(plain)
    mirrors = {"https://security-tracker.debian.org": (tmp_path / "copy").as_uri()}
    feed = Advisories(Network(Cache(tmp_path / "two"), datetime.now(UTC), mirrors=mirrors)).of(
        "debian", {"bookworm": "12"}
    )
    assert feed.known["bookworm"]["curl"][0].id == OPEN
