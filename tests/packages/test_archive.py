"""What `make dist` makes, in a bare Debian 12 without a network: all that a distributor needs.

The root has the packages that packaging/deps lists for it. The network is loopback alone, as where
distributions build their packages.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.installation import CHECKOUT
from tests.packages import base
from tests.packages.root import Root

PURPOSES = ("test", "test-system", "deb")
SOURCE = "/root/source"
_CLOSED = f'ip link set lo up && cd {SOURCE} && test -z "$(ip route)" && exec "$@"'
_LONGEST = 3600  # seconds, for all of the tests


@pytest.fixture(scope="module")
def root() -> Iterator[Root]:
    """A root in which the archive lies unpacked."""
    done = subprocess.run([CHECKOUT / "packaging/dist"], capture_output=True, text=True, check=True)
    with Root(base.tree("iproute2", "make", *_needed())) as made:
        (archive,) = made.share(CHECKOUT / done.stdout.strip())
        made.run(f"mkdir {SOURCE} && tar xzf {archive} -C {SOURCE} --strip-components=1")
        yield made


def _needed() -> set[str]:
    """Return the packages that packaging/deps lists for the purposes."""
    rows = (CHECKOUT / "packaging/deps").read_text().splitlines()
    return {package for purpose, package, *_ in map(str.split, rows) if purpose in PURPOSES}


def without_a_network(root: Root, *command: str) -> None:
    """Run a command where the source lies; all that it said is shown if it fails."""
    words = ["unshare", "--net", "sh", "-c", _CLOSED, "sh", *command]
    done = root.run(words, check=False, timeout=_LONGEST)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"{command} ended with {done.returncode}"


def test_it_builds_the_package(root: Root) -> None:
    """And the source package."""
    without_a_network(root, "make", "deb")
    made = [path.name for path in root.inside(SOURCE).glob("build/*")]
    for suffix in (".deb", ".dsc"):
        assert any(name.startswith("sesmail_") and name.endswith(suffix) for name in made)


def test_it_passes_the_tests(root: Root) -> None:
    """All but the heavy ones, with the packages of the system: the oldest that are supported."""
    without_a_network(root, "make", "test", "VENV=none")
