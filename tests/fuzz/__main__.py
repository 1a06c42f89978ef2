"""`make fuzz`: libFuzzer, through atheris, on ``submission.check``; takes libFuzzer's options.

It starts from tests/corpus/fuzz and keeps what it learns, and an input that fails, in .cache/fuzz.
"""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sesmail"]):
    import sesmail.submission
    from tests.fuzz import submission

    for _module in pkgutil.iter_modules(sesmail.submission.__path__, "sesmail.submission."):
        importlib.import_module(_module.name)  # some are loaded late

_CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Fuzz until time is up or an input fails."""
    learnt = _CHECKOUT / ".cache" / "fuzz"
    learnt.mkdir(parents=True, exist_ok=True)
    world = Path(tempfile.mkdtemp(prefix="sesmail-fuzz-"))
    submission.make_world(world)
    options = [f"-artifact_prefix={learnt}/failed-", "-max_len=4096", *sys.argv[1:]]
    corpus = [str(learnt), str(_CHECKOUT / "tests" / "corpus" / "fuzz")]

    def run(data: bytes) -> None:
        submission.check(data, world)

    atheris.Setup([sys.argv[0], *options, *corpus], run)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(world)


if __name__ == "__main__":
    main()
