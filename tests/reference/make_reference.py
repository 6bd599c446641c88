"""Write pytorch.json and keras.json: what these libraries compute. Needs them (extra `oracle`).

    python -m tests.reference.make_reference pytorch
    KERAS_BACKEND=tensorflow python -m tests.reference.make_reference keras

Inputs follow from a seed; numbers are written so that they read back bit for bit (Python's shortest
repr of a float64). tests/test_reference.py compares them with ours, without these libraries;
tests/test_oracle.py and tests/test_oracle_keras.py say whether the installed ones still agree.
"""

import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import to_keras, to_torch
from numpy_lstm.gradcheck.pytrees import leaves
from tests.strategies import CELLS, Cell, Recipe, sequence_case

FOLDER = Path(__file__).parent

# Ragged, in no order, and no review as long as the batch; every size is different.
RECIPE = Recipe(T=7, N=4, D=3, H=5, lengths=(4, 6, 1, 5), scale=0.8, start="both", seed=20261123)
SCALES = (0.01, 1.0, 100.0)  # of logits
ADAM = {"rate": 0.1, "epsilon": 1e-20}  # why so tiny is said in tests/test_oracle.py

Section = dict[str, Any]  # arrays by their path, such as "state.bias_hh_l0"


def pytorch() -> dict[str, Section]:
    """All that goes into PyTorch and comes out."""
    import torch

    from tests.pytorch import module_states

    provenance = {"pytorch": torch.__version__, **where_from(), **RECIPE._asdict()}
    cells = {cell: pytorch_cell(cell) for cell in CELLS}
    return {
        "provenance": provenance,
        **cells,
        "losses": losses(),
        "adam": adam(),
        "modules": module_states(),
    }


def keras() -> dict[str, Section]:
    """All that goes into Keras and comes out."""
    from tests.keras import keras

    provenance = {"keras": keras.__version__, "backend": keras.backend.backend(), **where_from()}
    return {"provenance": provenance, **{cell: keras_cell(cell) for cell in CELLS}}


def where_from() -> Section:
    return {
        "script": "tests/reference/make_reference.py",
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "seed": RECIPE.seed,
    }


def pytorch_cell(cell: Cell) -> Section:
    """A packed batch, forward and backward. PyTorch adds two biases: neither is zero here."""
    from tests.pytorch import pytorch_results

    case = sequence_case(cell, RECIPE)
    state = to_torch(case.point["params"])
    second = np.random.default_rng(RECIPE.seed + 1).standard_normal(state["bias_ih_l0"].shape)
    state["bias_hh_l0"] = second
    outputs, gradients = pytorch_results(case, state)
    point = {name: array for name, array in case.point.items() if name != "params"}
    return flat(
        state=state, point=point, incoming=case.incoming, outputs=outputs, gradients=gradients
    )


def losses() -> Section:
    """Of five reviews: the loss and its gradient, of two classes and of six."""
    from tests.pytorch import binary_cross_entropy, cross_entropy

    rng = np.random.default_rng(RECIPE.seed)
    section = {}
    for scale in SCALES:
        for name, function, classes in (
            ("binary", binary_cross_entropy, ()),
            ("classes", cross_entropy, (6,)),
        ):
            logits = scale * rng.standard_normal((5, *classes))
            labels = rng.integers(0, *(classes or (2,)), 5)
            loss, gradient = function(logits, labels)
            each = {"logits": logits, "labels": labels, "loss": loss, "gradient": gradient}
            section |= {f"{name} {scale:g}.{k}": v for k, v in flat(**each).items()}
    return section


def adam() -> Section:
    """Ten steps of Adam, and of SparseAdam with about half of a table's rows at each."""
    from tests.pytorch import adam

    rng = np.random.default_rng(RECIPE.seed)
    W, table, dWs = (rng.standard_normal(shape) for shape in [(3, 2), (6, 2), (10, 3, 2)])
    rows = [np.flatnonzero(rng.random(6) < 0.5) for _ in dWs]
    values = [rng.standard_normal((len(some), 2)) for some in rows]
    new_W, new_table = adam(W, table, dWs, rows, values, **ADAM)
    before, after = {"W": W, "table": table}, {"W": new_W, "table": new_table}
    return flat(before=before, dWs=dWs, rows=rows, values=values, after=after)


def keras_cell(cell: Cell) -> Section:
    """States after every step. Keras has one bias, and transposed matrices."""
    from tests.keras import states

    case = sequence_case(cell, RECIPE)
    weights, xs = to_keras(case.point["params"]), case.point["xs"]
    return flat(weights=weights, xs=xs, hs=states(cell, weights, xs))


def flat(**parts: Any) -> Section:
    return {path: np.asarray(array).tolist() for path, array in leaves(parts).items()}


def write(file: Path, sections: dict[str, Section]) -> None:
    """An array a line: no longer than need be, and a change shows as a change of that array."""
    lines = {
        name: ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in part.items())
        for name, part in sections.items()
    }
    text = ",\n".join(f'"{name}": {{\n{line}\n}}' for name, line in lines.items())
    file.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    for library in sys.argv[1:]:
        write(FOLDER / f"{library}.json", {"pytorch": pytorch, "keras": keras}[library]())
