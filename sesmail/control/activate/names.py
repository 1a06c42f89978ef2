"""A name becomes a link to us, and what it was is kept beside it, until it goes back.

At no moment is a name missing that was there before: the old file gets its second name first, and
each change of a name is one rename(2).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from sesmail.control.activate.own import Own
from sesmail.control.activate.step import Step
from sesmail.sysexits import CannotCreate


def take(path: str, aside: str, own: Own, *, replaces: bool) -> Iterator[Step]:
    """Yield the steps by which a name becomes ours and what it was is found at ``aside``.

    With ``replaces`` what is at ``aside`` is an older version of what was at the name. Else it may
    only be the same file: an attempt that was interrupted. Raises CannotCreate.
    """
    _refuse_directories(path, aside)
    if own.is_linked(path):
        return
    is_free = own.was_linked(path) or not os.path.lexists(path)
    is_kept = own.was_linked(path) or replaces or (not is_free and _is_same(path, aside))
    if os.path.lexists(aside) and not is_kept:
        raise in_the_way(aside, f"what is {path} is to be kept there")
    if is_free:
        old = os.readlink(path) if os.path.islink(path) else ""
        yield Step(
            "link",
            f"{path} to {own.program}",
            lambda: link_over(own.program, path),
            lambda: link_over(old, path) if old else _unlink(path, own),
        )
    else:
        yield Step(
            "move",
            f"{path} to {aside}, and put a link to {own.program} in its place",
            lambda: _exchange(path, aside, own),
            lambda: _give_back(path, aside, own),
        )


def put_back(path: str, aside: str, own: Own) -> Iterator[Step]:
    """Yield the step by which a name is what it was before; none where it is not ours."""
    if os.path.lexists(aside) and (own.was_linked(path) or not os.path.lexists(path)):
        yield Step(
            "move",
            f"{aside} back to {path}",
            lambda: os.replace(aside, path),
            lambda: _exchange(path, aside, own),
        )
    elif own.was_linked(path):
        yield Step(
            "remove",
            f"{path}, for there was none before",
            lambda: os.unlink(path),
            lambda: link_over(own.program, path),
        )


def discard(path: str, reason: str) -> Step:
    """Return the step by which a file goes that has been superseded."""
    return Step("remove", f"{path}, {reason}", lambda: os.unlink(path), lambda: None)


def _give_back(path: str, aside: str, own: Own) -> None:
    if own.is_linked(path):
        os.replace(aside, path)


def in_the_way(path: str, reason: str) -> CannotCreate:
    """Return the failure that a file is in the way."""
    return CannotCreate(
        f"{path} is in the way: {reason}; look what it is, move it away, and try again"
    )


def link_over(target: str, path: str) -> None:
    """Make a name a link, whatever it was before."""
    new = _new(path)
    os.symlink(target, new)
    os.replace(new, path)


def _exchange(path: str, aside: str, own: Own) -> None:
    if not _is_same(path, aside):
        new = _new(aside)
        os.link(path, new, follow_symlinks=False)
        os.replace(new, aside)
    try:
        link_over(own.program, path)
    except OSError:
        os.unlink(aside)
        raise


def _new(path: str) -> str:
    """Return a free name beside a path; what an interrupted attempt left there goes."""
    new = path + ".sesmail-new"
    if os.path.lexists(new):
        os.unlink(new)
    return new


def _unlink(path: str, own: Own) -> None:
    if own.is_linked(path):
        os.unlink(path)


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.lstat(other))
    except FileNotFoundError:
        return False


def _refuse_directories(*paths: str) -> None:
    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            raise in_the_way(path, "it is a directory")
