"""`make fuzz`: libFuzzer, through atheris, on the ``check`` of a module here.

    python -m tests.fuzz submission|dialogue [OPTION OF LIBFUZZER ...]

It starts from tests/corpus/fuzz/NAME and keeps what it learns, and an input that fails, in
.cache/fuzz/NAME.
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
    from tests.fuzz import dialogue, submission

    for _module in pkgutil.walk_packages(sesmail.submission.__path__, "sesmail.submission."):
        importlib.import_module(_module.name)  # some are loaded late

_CHECKOUT = Path(__file__).resolve().parents[2]
_TARGETS = {"submission": submission.check, "dialogue": dialogue.check}


def main() -> None:
    """Fuzz until time is up or an input fails."""
    name = sys.argv[1]
    cache = _CHECKOUT / ".cache" / "fuzz" / name
    learnt = cache / "learnt"
    world = cache / "world"
    shutil.rmtree(world, ignore_errors=True)  # libFuzzer ends the process, so not afterwards
    for directory in (learnt, world):
        directory.mkdir(parents=True, exist_ok=True)
    submission.make_world(world)
    options = [f"-artifact_prefix={cache}/failed-", "-max_len=4096", *sys.argv[2:]]
    corpus = [str(learnt), str(_CHECKOUT / "tests" / "corpus" / "fuzz" / name)]

    def run(data: bytes) -> None:
        _TARGETS[name](data, world)

    atheris.Setup([sys.argv[0], *options, *corpus], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
