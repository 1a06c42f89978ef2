"""The packages, built once for the session by `make deb`, and ones that differ for a test."""

from __future__ import annotations

import pytest

from tests.packages import debs as made
from tests.packages.debs import Debs

__all__ = ["Debs"]


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory) -> Debs:
    """The packages of this tree."""
    return made.build(tmp_path_factory.mktemp("debs"))


@pytest.fixture(scope="session")
def previous_debs(debs: Debs, tmp_path_factory: pytest.TempPathFactory) -> Debs:
    """The packages of a lower version: what is upgraded from."""
    return made.previous(debs, tmp_path_factory.mktemp("previous"))
