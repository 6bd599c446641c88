"""What the package offers says what it takes: every parameter stands in a docstring."""

import importlib
import inspect
import pkgutil
import re

import pytest

import numpy_lstm

# All that is exported, and the mathematics that a reader comes for.
EXPLAINED = [
    f"numpy_lstm.{name}"
    for name in (
        "cells bptt rnn lstm layers losses optim initializers classifier gradient_flow"
        " gradcheck.check gradcheck.derivatives convert estimator"
    ).split()
]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(numpy_lstm.__path__, "numpy_lstm.")
    if not module.name.rpartition(".")[2].startswith("_")
]


def public(owner, module):
    """The functions and classes that the module defines in `owner`, a module or a class."""
    for name, thing in vars(owner).items():
        if isinstance(thing, (classmethod, staticmethod, property)):
            thing = thing.fget if isinstance(thing, property) else thing.__func__
        if not (inspect.isfunction(thing) or inspect.isclass(thing)) or name.startswith("_"):
            continue
        if thing.__module__ == module:
            yield thing
            if inspect.isclass(thing):
                yield from public(thing, module)


def offered(modules):
    """What is public in the modules, by its name."""
    return {
        f"{name}:{thing.__qualname__}": thing
        for name in modules
        for thing in public(importlib.import_module(name), name)
    }


def named(docstring):
    """The names in a docstring's section of parameters."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=\n\n\w+\n---|\Z)", docstring, re.M | re.S)
    lines = re.findall(r"^([\w*, ]+)(?: : .+)?$", section[1], re.M) if section else []
    return [name.strip("* ") for line in lines if line[0] != " " for name in line.split(",")]


def test_all_that_is_public_has_a_docstring():
    things = offered(MODULES)
    assert len(things) > 500
    assert [name for name, thing in things.items() if not thing.__doc__] == []


@pytest.mark.parametrize(
    "thing", [pytest.param(thing, id=name) for name, thing in offered(EXPLAINED).items()]
)
def test_every_parameter_is_explained_and_nothing_else(thing):
    if inspect.isclass(thing) and "__init__" not in vars(thing):
        return  # a NamedTuple explains its fields beside them
    parameters = [name for name in inspect.signature(thing).parameters if name != "self"]
    assert named(inspect.getdoc(thing)) == parameters


def test_all_that_is_exported_is_among_what_is_explained():
    homes = {getattr(numpy_lstm, name).__module__ for name in numpy_lstm.__all__}
    assert homes <= set(EXPLAINED)


def test_a_parameter_that_is_not_explained_is_noticed():
    docstring = "Do it.\n\nParameters\n---\na, b : int\n    Two.\nc\n\nReturns\n-------\nd : int"
    assert named(docstring) == ["a", "b", "c"]
    assert named("Do it.") == []
