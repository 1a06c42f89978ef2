"""`make fuzz`: libFuzzer, through atheris, on ``submission.check``; takes libFuzzer's options.

It starts from tests/corpus/fuzz and keeps what it learns, and an input that fails, in .cache/fuzz.
"""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sesmail"]):
    import sesmail.submission
    from tests.fuzz import submission

    for _module in pkgutil.iter_modules(sesmail.submission.__path__, "sesmail.submission."):
        importlib.import_module(_module.name)  # some are loaded late

_CHECKOUT = Path(__file__).resolve().parents[2]
_CACHE = _CHECKOUT / ".cache" / "fuzz"


def main() -> None:
    """Fuzz until time is up or an input fails."""
    learnt = _CACHE / "learnt"
    world = _CACHE / "world"
    shutil.rmtree(world, ignore_errors=True)  # libFuzzer ends the process, so not afterwards
    for directory in (learnt, world):
        directory.mkdir(parents=True, exist_ok=True)
    submission.make_world(world)
    options = [f"-artifact_prefix={_CACHE}/failed-", "-max_len=4096", *sys.argv[1:]]
    corpus = [str(learnt), str(_CHECKOUT / "tests" / "corpus" / "fuzz")]

    def run(data: bytes) -> None:
        submission.check(data, world)

    atheris.Setup([sys.argv[0], *options, *corpus], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
