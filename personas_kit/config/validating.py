"""Data against a model: the first problem as an error with its place and the nearest name."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pydantic
from pydantic import BaseModel

from personas_kit.errors import ConfigError, nearest

_T = TypeVar("_T")


def validated(model: type[_T], data: Mapping[str, Any], file: str, *above: str) -> _T:
    """The checked data; the first problem as an error with file, key and hint."""
    try:
        return pydantic.TypeAdapter(model).validate_python(data)
    except pydantic.ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
        keys = [*above, *(str(key) for key in first["loc"])]
        raise _explained(first["type"], first["msg"], keys, model, file) from None


def _explained(kind: str, message: str, keys: Sequence[str], model: object, file: str) -> ConfigError:
    where = f"{file}: {'.'.join(keys)}"
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        beside = _fields_beside(model, keys)
        near = nearest(keys[-1], beside)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(beside))}"
        return ConfigError(f"unknown key {keys[-1]!r}", where=where, hint=hint)
    if kind.startswith("missing"):
        return ConfigError(f"the key {keys[-1]!r} is missing", where=where, hint=f"add {keys[-1]} = ...")
    return ConfigError(message.removeprefix("Value error, "), where=where)


def _fields_beside(model: object, keys: Sequence[str]) -> set[str]:
    """The names that could stand where the unknown key stands."""
    fields = _fields(model)
    for key in keys[:-1]:
        if not key.isdigit() and key in fields:
            fields = _fields(fields[key]) or fields
    return set(fields)


def _fields(annotation: object) -> dict[str, object]:
    """Field name -> annotation, for a model or dataclass anywhere inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {info.alias or name: info.annotation for name, info in annotation.model_fields.items()}
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return dict(typing.get_type_hints(annotation))
    for inner in typing.get_args(annotation):
        if found := _fields(inner):
            return found
    return {}
