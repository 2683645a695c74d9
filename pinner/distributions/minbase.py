"""What a minimal image begins with: debootstrap's minbase. Made by scripts/update_minbase.

Ubuntu's are not shipped: they would be guesses. What its images hold is read from them, or given by the user.
"""

from __future__ import annotations

from pinner.errors import Refused

_NAMES = {
    "bullseye": """
        adduser apt base-files base-passwd bash bsdutils coreutils dash debconf debian-archive-keyring
        debianutils diffutils dpkg e2fsprogs findutils gcc-10-base gcc-9-base gpgv grep gzip hostname
        init-system-helpers libacl1 libapt-pkg6.0 libattr1 libaudit-common libaudit1 libblkid1 libbz2-1.0
        libc-bin libc6 libcap-ng0 libcom-err2 libcrypt1 libdb5.3 libdebconfclient0 libext2fs2 libffi7
        libgcc-s1 libgcrypt20 libgmp10 libgnutls30 libgpg-error0 libgssapi-krb5-2 libhogweed6 libidn2-0
        libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 liblz4-1 liblzma5 libmount1 libnettle8 libnsl2
        libp11-kit0 libpam-modules libpam-modules-bin libpam-runtime libpam0g libpcre2-8-0 libpcre3
        libseccomp2 libselinux1 libsemanage-common libsemanage1 libsepol1 libsmartcols1 libss2 libssl1.1
        libstdc++6 libsystemd0 libtasn1-6 libtinfo6 libtirpc-common libtirpc3 libudev1 libunistring2
        libuuid1 libxxhash0 libzstd1 login logsave lsb-base mawk mount ncurses-base ncurses-bin passwd
        perl-base sed sysvinit-utils tar tzdata util-linux zlib1g
    """,
    "bookworm": """
        adduser apt base-files base-passwd bash bsdutils coreutils dash debconf debian-archive-keyring
        debianutils diffutils dpkg e2fsprogs findutils gcc-12-base gpgv grep gzip hostname
        init-system-helpers libacl1 libapt-pkg6.0 libattr1 libaudit-common libaudit1 libblkid1 libbz2-1.0
        libc-bin libc6 libcap-ng0 libcap2 libcom-err2 libcrypt1 libdb5.3 libdebconfclient0 libext2fs2
        libffi8 libgcc-s1 libgcrypt20 libgmp10 libgnutls30 libgpg-error0 libhogweed6 libidn2-0 liblz4-1
        liblzma5 libmd0 libmount1 libnettle8 libp11-kit0 libpam-modules libpam-modules-bin libpam-runtime
        libpam0g libpcre2-8-0 libseccomp2 libselinux1 libsemanage-common libsemanage2 libsepol2
        libsmartcols1 libss2 libstdc++6 libsystemd0 libtasn1-6 libtinfo6 libudev1 libunistring2 libuuid1
        libxxhash0 libzstd1 login logsave mawk mount ncurses-base ncurses-bin passwd perl-base sed
        sysvinit-utils tar tzdata usr-is-merged util-linux util-linux-extra zlib1g
    """,
    "trixie": """
        apt base-files base-passwd bash bsdutils coreutils dash debconf debian-archive-keyring debianutils
        diffutils dpkg findutils gcc-14-base grep gzip hostname init-system-helpers libacl1 libapt-pkg7.0
        libattr1 libaudit-common libaudit1 libblkid1 libbsd0 libbz2-1.0 libc-bin libc6 libcap-ng0 libcap2
        libcrypt1 libdb5.3t64 libdebconfclient0 libgcc-s1 libgmp10 libhogweed6t64 liblastlog2-2 liblz4-1
        liblzma5 libmd0 libmount1 libnettle8t64 libpam-modules libpam-modules-bin libpam-runtime libpam0g
        libpcre2-8-0 libseccomp2 libselinux1 libsemanage-common libsemanage2 libsepol2 libsmartcols1
        libsqlite3-0 libssl3t64 libstdc++6 libsystemd0 libtinfo6 libudev1 libuuid1 libxxhash0 libzstd1 login
        login.defs mawk mount ncurses-base ncurses-bin openssl-provider-legacy passwd perl-base sed sqv
        sysvinit-utils tar tzdata util-linux zlib1g
    """,
    "forky": """
        apt base-files base-passwd bash bsdutils coreutils dash debconf debian-archive-keyring debianutils
        diffutils dpkg findutils gcc-16-base grep gzip hostname init-system-helpers libacl1 libapt-pkg7.0
        libattr1 libaudit-common libaudit1 libblkid1 libbsd0 libbz2-1.0 libc-bin libc-gconv-modules-extra
        libc6 libcap-ng0 libcrypt1 libdb5.3t64 libdebconfclient0 libgcc-s1 libgmp10 libhogweed6t64 liblz4-1
        liblzma5 libmd0 libmount1 libnettle8t64 libpam-modules libpam-modules-bin libpam-runtime libpam0g
        libpcre2-8-0 libseccomp2 libselinux1 libsemanage-common libsemanage2 libsepol2 libsmartcols1
        libssl3t64 libstdc++6 libsystemd0 libtinfo6 libudev1 libuuid1 libxxhash0 libzstd1 login login.defs
        mawk mount ncurses-base ncurses-bin openssl-provider-legacy passwd perl-base sed sqv sysvinit-utils
        tar tzdata util-linux zlib1g
    """,
    "sid": """
        apt base-files base-passwd bash bsdutils coreutils dash debconf debian-archive-keyring debianutils
        diffutils dpkg findutils gcc-16-base grep gzip hostname init-system-helpers libacl1 libapt-pkg7.0
        libattr1 libaudit-common libaudit1 libblkid1 libbsd0 libbz2-1.0 libc-bin libc-gconv-modules-extra
        libc6 libcap-ng0 libcrypt1 libdb5.3t64 libdebconfclient0 libgcc-s1 libgmp10 libhogweed6t64 liblz4-1
        liblzma5 libmd0 libmount1 libnettle8t64 libpam-modules libpam-modules-bin libpam-runtime libpam0g
        libpcre2-8-0 libseccomp2 libselinux1 libsemanage-common libsemanage2 libsepol2 libsmartcols1
        libssl3t64 libstdc++6 libsystemd0 libtinfo6 libudev1 libuuid1 libxxhash0 libzstd1 login login.defs
        mawk mount ncurses-base ncurses-bin openssl-provider-legacy passwd perl-base sed sqv sysvinit-utils
        tar tzdata util-linux zlib1g
    """,
}

#: Names that an architecture lacks.
_ABSENT: dict[tuple[str, str], frozenset[str]] = {
    ("forky", "loong64"): frozenset(["libseccomp2"]),
    ("forky", "riscv64"): frozenset(["libseccomp2"]),
    ("sid", "loong64"): frozenset(["libseccomp2"]),
    ("sid", "riscv64"): frozenset(["libseccomp2"]),
}


def names(suite: str, arch: str) -> tuple[str, ...]:
    """The names of the packages in the minimal image of a suite (by codename), sorted.

    Raises Refused for a suite that is not known here: its images may hold anything.
    """
    if suite not in _NAMES:
        raise Refused(
            f"the contents of {suite} base images are not known",
            hint="let pinner read the image (--images always shows why it cannot), or pass --installed",
        )
    absent = _ABSENT.get((suite, arch), frozenset())
    return tuple(name for name in _NAMES[suite].split() if name not in absent)
