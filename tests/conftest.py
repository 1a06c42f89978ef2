"""Fixtures for all tests, and two rules: a skipped test is a failed one; say what is left out."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.fakes.ses import SesServer
from tests.host import Host, is_root
from tests.installation import VENV, Installation, install_once, make_session_directory
from tests.spool import Spool

_SESSION = pytest.StashKey[Path]()


@pytest.fixture(scope="session")
def installed(pytestconfig: pytest.Config) -> Installation:
    """The installed tree of this test session: `make install` below a directory all may read."""
    return install_once(pytestconfig.stash[_SESSION])


@pytest.fixture
def host(
    pytestconfig: pytest.Config, request: pytest.FixtureRequest, installed: Installation
) -> Iterator[Host]:
    """A private mail host: settings, credentials, aliases, a real sendmail that records."""
    session = pytestconfig.stash[_SESSION]
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    directory = session / f"host-{worker}"
    directory.mkdir()
    directory.chmod(0o755)
    yield Host(directory, installed)
    shutil.rmtree(directory)


@pytest.fixture
def ses() -> Iterator[SesServer]:
    """The SES stand-in, listening on loopback."""
    with SesServer() as server:
        yield server


@pytest.fixture
def spool(ses: SesServer, tmp_path: Path) -> Iterator[Spool]:
    """A spool of one's own before the stand-in; its daemon, if started, ends with the test."""
    made = Spool(tmp_path, ses)
    yield made
    made.close()


def pytest_configure(config: pytest.Config) -> None:
    """Make the session's directory; workers of pytest-xdist get that of their controller."""
    os.umask(0o022)  # www-data reads what the fixtures write
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup, and what it starts, ignore it
    untimed = hypothesis.settings(
        deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.register_profile("untimed", untimed)  # machines may be busy
    hypothesis.settings.load_profile("untimed")
    given: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[_SESSION] = Path(given["session"]) if given else make_session_directory()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the session's directory is."""
    node.workerinput["session"] = str(node.config.stash[_SESSION])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the session's directory with everything in it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[_SESSION])


def pytest_report_header() -> list[str]:
    """Say it where tests are left out."""
    return [f"{why}: tests marked `{mark}` are left out" for mark, why in _left_out().items()]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs root where we are not, and our environment where there is none."""
    marks = _left_out()
    left_out = [item for item in items if any(map(item.get_closest_marker, marks))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _left_out() -> dict[str, str]:
    """Return the marks whose tests cannot run here, each with the reason."""
    marks = {}
    if not is_root():
        marks["root"] = "not root"
    if VENV == "none":
        marks["venv"] = "no virtual environment"
    return marks


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, None]:
    """Count a skipped or expected failure as a failure: nobody looks at those.

    In the older form of hook wrappers, which Debian 12's pytest knows.
    """
    result = yield
    report: pytest.TestReport = result.get_result()
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, which is not allowed here: {report.longrepr}"
