from __future__ import annotations

import pytest

from pinner.distributions.mirrors import is_own_host, official

D, S = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
U, P = "http://archive.ubuntu.com/ubuntu", "http://ports.ubuntu.com/ubuntu-ports"
COMPANY = {
    "http://deb.debian.org/debian": "https://artifactory.corp.example/artifactory/debian-remote",
    "http://deb.debian.org/debian-security": "https://nexus.corp.example/repository/debian-security/",
    "http://archive.ubuntu.com": "http://mirror.corp.example:8080",
    "https://download.docker.com": "https://nexus.corp.example/repository/docker",
}


@pytest.mark.parametrize(
    ("uri", "is_"),
    [
        # itself
        ("https://deb.debian.org/debian/", D),
        ("http://ftp.debian.org/debian", D),
        ("http://ftp.de.debian.org/debian", D),
        ("http://ftp2.fr.debian.org/debian", D),
        ("http://http.us.debian.org/debian", D),
        ("http://http.debian.net/debian", D),
        ("http://httpredir.debian.org/debian", D),
        ("http://DEB.debian.org:80/debian//", D),
        ("http://security.debian.org/", S),
        ("http://security.debian.org/debian-security", S),
        ("http://archive.debian.org/debian", "http://archive.debian.org/debian"),
        ("http://us.archive.ubuntu.com/ubuntu/", U),
        ("http://old-releases.ubuntu.com/ubuntu", "http://old-releases.ubuntu.com/ubuntu"),
        ("http://ports.ubuntu.com/", P),
        # clouds
        ("http://cdn-aws.deb.debian.org/debian-security", S),
        ("http://cloudfront.debian.net/debian", D),
        ("http://debian-archive.trafficmanager.net/debian", D),
        ("http://us-east-1.ec2.archive.ubuntu.com/ubuntu", U),
        ("http://us-east-1a.clouds.archive.ubuntu.com/ubuntu", U),
        ("http://eu-west-1.ec2.ports.ubuntu.com/ubuntu-ports", P),
        ("http://azure.archive.ubuntu.com/ubuntu", U),
        ("http://europe-west1.gce.archive.ubuntu.com/ubuntu", U),
        ("https://mirror.hetzner.com/debian/security", S),
        ("https://repo.huaweicloud.com/debian-security", S),
        # by their names
        ("https://mirrors.tuna.tsinghua.edu.cn/debian", D),
        ("http://mirrors.kernel.org/ubuntu", U),
        ("https://ftp.halifax.rwth-aachen.de/ubuntu-ports", P),
        ("http://ftp.example.edu/pub/linux/debian-security", S),
        # a cache in between
        ("http://apt-cacher:3142/deb.debian.org/debian", D),
        ("http://10.0.0.5:3142/security.debian.org/debian-security", S),
        ("http://cache.corp.example:3142/de.archive.ubuntu.com/ubuntu", U),
        ("http://cache.corp.example:3142/debian", D),
        ("http://cache.corp.example:3142/HTTPS///download.docker.com/linux/debian", "https://download.docker.com/linux/debian"),
        ("http://cache.corp.example/ports.ubuntu.com/ubuntu-ports", P),
        # others are themselves
        ("https://download.docker.com/linux/debian", ""),
        ("http://mirror.mariadb.org/repo/10.6/ubuntu", ""),
        ("https://mirrors.aliyun.com/docker-ce/linux/debian", ""),
        ("http://deb.debian.org.evil.example/debian", ""),
        ("http://evildebian.org/debian", ""),
        ("http://cache.corp.example/apt.example.com/debian", ""),
        ("http://archive.raspberrypi.com/debian", ""),
        ("file:/srv/mirrors/debian", ""),
        ("http://repo.corp.example/ubuntu", ""),
    ],
)  # fmt: skip
def test_what_an_address_mirrors(uri: str, is_: str) -> None:
    assert official(uri, {}) == (is_ or uri)


@pytest.mark.parametrize(
    ("uri", "is_"),
    [
        ("https://artifactory.corp.example/artifactory/debian-remote/", D),
        ("https://bot:secret@artifactory.corp.example/artifactory/debian-remote", D),
        ("https://nexus.corp.example/repository/debian-security", S),
        ("http://mirror.corp.example:8080/ubuntu", U),
        (
            "https://nexus.corp.example/repository/docker/linux/debian",
            "https://download.docker.com/linux/debian",
        ),
        ("https://nexus.corp.example/repository/dockerhub", ""),
        ("http://mirror.corp.example/ubuntu", U),  # by its name
        ("http://mirror.corp.example:8080/tools", ""),  # which Ubuntu's archive does not have
    ],
)
def test_a_companys_address_is_known_by_its_configuration(uri: str, is_: str) -> None:
    assert official(uri, COMPANY) == (is_ or uri)


def test_the_hosts_of_a_distribution() -> None:
    assert [
        name
        for name in ("deb.debian.org", "mirrors.x.example", "evildebian.org", "apt.x.example")
        if is_own_host(name)
    ] == [
        "deb.debian.org",
        "mirrors.x.example",
    ]
