"""Write pytorch.json: what PyTorch makes of two ragged batches. Needs PyTorch (extra `oracle`).

    python -m tests.reference.make_reference

Numbers are written so that they read back bit for bit (Python's shortest repr of a float64).
"""

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch

from numpy_lstm.gradcheck.pytrees import leaves
from tests.pytorch import pytorch_results
from tests.strategies import CELLS, Cell, Recipe, sequence_case

FILE = Path(__file__).with_name("pytorch.json")

# Ragged, in no order, and no review as long as the batch; every size is different.
RECIPE = Recipe(T=7, N=4, D=3, H=5, lengths=(4, 6, 1, 5), scale=0.8, start="both", seed=20261123)


def section(cell: Cell) -> dict[str, Any]:
    """All that goes in and comes out, by path: "point.params.W_x", "gradients.h0"."""
    case = sequence_case(cell, RECIPE)
    outputs, gradients = pytorch_results(case)
    everything = {
        "point": case.point,
        "incoming": case.incoming,
        "outputs": outputs,
        "gradients": gradients,
    }
    return {path: array.tolist() for path, array in leaves(everything).items()}


def main() -> None:
    provenance = {
        "script": "tests/reference/make_reference.py",
        "pytorch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        **RECIPE._asdict(),
    }
    sections = {"provenance": provenance} | {cell: section(cell) for cell in CELLS}
    # An array a line: no longer than need be, and a change shows as a change of that array.
    lines = {
        name: ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in part.items())
        for name, part in sections.items()
    }
    text = ",\n".join(f'"{name}": {{\n{line}\n}}' for name, line in lines.items())
    FILE.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
