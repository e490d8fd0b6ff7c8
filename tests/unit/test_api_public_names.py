"""What the package offers by name can be had, and the errors are one tree."""

from __future__ import annotations

import inspect

import pytest

import pipedream_source
from pipedream_source import exceptions


@pytest.mark.parametrize("name", pipedream_source.__all__)
def test_each_public_name_can_be_had(name: str) -> None:
    assert getattr(pipedream_source, name)
    assert name in dir(pipedream_source)


def test_other_names_cannot() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        pipedream_source.nonsense  # noqa: B018


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    """Each class stands in the drawing, below the classes that it is of."""
    drawing = (exceptions.__doc__ or "").splitlines()
    depth = {
        line.split()[-1] if line.strip() == "PipedreamError" else line.strip("│├└─ ").split()[0]: (
            len(line) - len(line.lstrip("│├└─ "))
        )
        // 4
        for line in drawing
        if line.startswith(("PipedreamError", "├", "│", "└"))
    }
    classes = {
        name: kind
        for name, kind in vars(exceptions).items()
        if inspect.isclass(kind) and kind.__module__ == exceptions.__name__
    }
    assert depth == {name: len(kind.__mro__) - 4 for name, kind in classes.items()}


def test_an_uncertain_change_carries_what_was_found() -> None:
    found = [{"id": "dc_1"}]
    error = pipedream_source.ChangeUncertain("open", path="/sources", status=502, found=found)
    assert (error.found, error.path, error.status) == (found, "/sources", 502)
    assert error.may_have_landed
    assert isinstance(error, pipedream_source.ApiError)
    assert pipedream_source.ChangeUncertain("open").found is None
