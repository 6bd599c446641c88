"""The examples in the docstrings of the package give what they show."""

import doctest
import importlib
import pkgutil

import pytest

import numpy_lstm

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(numpy_lstm.__path__, "numpy_lstm.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_examples_are_found() -> None:
    finder = doctest.DocTestFinder()
    module = importlib.import_module("numpy_lstm.rnn")
    assert any(test.examples for test in finder.find(module))
