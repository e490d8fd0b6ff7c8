"""Flags that travel together: a verb names a bundle, and gets each of its flags.

A bundle is a dataclass whose fields are annotated as the flags of a command are. So what many
verbs share is written down once, and reaches the verb as one object with methods.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from inspect import Parameter
from typing import Any, ParamSpec, TypeVar, get_type_hints

P = ParamSpec("P")
R = TypeVar("R")


def flattened(verb: Callable[P, R]) -> Callable[P, R]:
    """Return a verb whose bundles are flags of its own, as typer needs it.

    Args:
        verb: a function; parameters whose type is a dataclass are bundles, and keyword-only.
    """
    hints = get_type_hints(verb, include_extras=True)
    names = list(inspect.signature(verb).parameters)
    bundles = {name: hints[name] for name in names if is_dataclass(hints[name])}
    parameters = list(_parameters(verb, hints, bundles))

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        given: dict[str, Any] = dict(kwargs)
        for name, bundle in bundles.items():
            values = {field.name: given.pop(field.name) for field in fields(bundle)}
            given[name] = bundle(**values)
        return verb(*args, **given)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _parameters(
    verb: Callable[..., Any], hints: dict[str, Any], bundles: dict[str, Any]
) -> Iterator[Parameter]:
    """Yield the verb's own parameters, then those of its bundles."""
    for name, own in inspect.signature(verb).parameters.items():
        if name not in bundles:
            yield own.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name])
    for bundle in bundles.values():
        types = get_type_hints(bundle, include_extras=True)
        for field in fields(bundle):
            yield Parameter(
                field.name,
                Parameter.KEYWORD_ONLY,
                default=_default(field),
                annotation=types[field.name],
            )


def _default(field: Field[Any]) -> Any:
    return Parameter.empty if field.default is MISSING else field.default
