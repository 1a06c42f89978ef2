"""Prometheus's text form, read strictly.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_LABEL}(?:,{_LABEL})*)\}})? (\S+)")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

Labels = tuple[tuple[str, str], ...]


def read(text: str) -> dict[str, dict[Labels, float]]:
    """Return the samples by name and labels.

    Raises ValueError for what is no such text: each name has HELP and TYPE once, before its
    samples, which stand together, and no labels come twice.
    """
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    found: dict[str, dict[Labels, float]] = {}
    told: list[tuple[str, str]] = []
    current = ""
    for line in text[:-1].split("\n"):
        if line.startswith("# "):
            kind, name, rest = line[2:].split(" ", 2)
            if kind not in ("HELP", "TYPE") or (kind, name) in told or not rest:
                raise ValueError(line)
            if kind == "TYPE" and (rest not in _TYPES or name in found):
                raise ValueError(line)
            told.append((kind, name))
            continue
        match = _SAMPLE.fullmatch(line)
        if match is None:
            raise ValueError(line)
        name, labels, value = match.groups()
        if {("HELP", name), ("TYPE", name)} - set(told):
            raise ValueError(f"{name} is not told")
        if name in found and name != current:
            raise ValueError(f"the samples of {name} do not stand together")
        current = name
        pairs = tuple(sorted((key, _plain(text)) for key, text in _PAIR.findall(labels or "")))
        if pairs in found.setdefault(name, {}):
            raise ValueError(f"twice: {line}")
        found[name][pairs] = float(value.replace("Inf", "inf"))
    return found


def _plain(text: str) -> str:
    return re.sub(r"\\.", lambda match: _ESCAPED[match[0]], text)
