"""JSON documents against the shapes of botocore's models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "timestamp": (int, float),
    "double": (float,),
    "integer": (int,),
    "long": (int,),
}


def offences(shape: Shape, value: Any, where: str = "output") -> Iterator[str]:
    """What is wrong with a value of this shape: members, types, and words of an enumeration."""
    if isinstance(shape, StructureShape):
        yield from _of_structure(shape, value, where)
    elif isinstance(shape, ListShape):
        for number, one in enumerate(value):
            yield from offences(shape.member, one, f"{where}[{number}]")
    elif isinstance(shape, MapShape):
        for key, one in value.items():
            yield from offences(shape.value, one, f"{where}[{key}]")
    elif not isinstance(value, _KINDS[shape.type_name]):
        yield f"{where} is no {shape.type_name}: {value!r}"
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{where} is none of {shape.enum}: {value!r}"


def _of_structure(shape: StructureShape, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no object"
        return
    for name in sorted(set(value) - set(shape.members)):
        yield f"{where}.{name} is unknown"
    for name in sorted(set(shape.required_members) - set(value)):
        yield f"{where}.{name} is missing"
    for name in sorted(set(value) & set(shape.members)):
        yield from offences(shape.members[name], value[name], f"{where}.{name}")
