from typing import NamedTuple

import numpy as np
import pytest

from numpy_lstm.gradcheck.pytrees import float64_arrays, leaves, rebuild


class Pair(NamedTuple):
    first: object
    second: object


TREE = {"params": Pair(1.0, [2.0, (3.0,)]), "h 0": 4.0, 7: 5.0}


def test_every_leaf_is_found_under_the_path_that_python_would_need():
    assert leaves(TREE) == {
        "params.first": 1.0,
        "params.second[0]": 2.0,
        "params.second[1][0]": 3.0,
        "['h 0']": 4.0,
        "[7]": 5.0,
    }
    assert leaves(1.0) == {"": 1.0}


def test_a_tree_rebuilt_from_its_own_leaves_is_the_same_tree():
    assert rebuild(TREE, iter(leaves(TREE).values())) == TREE
    assert type(rebuild(TREE, iter("abcde"))["params"]) is Pair


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"W": np.arange(3)}, r"W of `point` must be float64; got int64"),
        ({"W": np.ones(3, np.float32)}, r"W of `point` must be float64; got float32"),
        (Pair(1.0, True), r"second of `point` must be float64; got bool"),
        ([1.0, None], r"\[1\] of `point` must be float64; got object"),
        (np.ones(3) + 0j, r"`point` must be float64; got complex128"),
        (np.array([1.0, np.nan]), r"`point` must be finite"),
        ([np.array([np.inf])], r"\[0\] of `point` must be finite"),
        ({"xs": np.ones((0, 3))}, r"xs of `point` must not be empty; got shape \(0, 3\)"),
        ({}, r"`point` must hold an array; got \{\}"),
    ],
)
def test_what_cannot_be_differentiated_is_named_and_refused(tree, message):
    with pytest.raises(ValueError, match=message):
        float64_arrays("point", tree)
