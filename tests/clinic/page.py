"""What docs/clinic.md shows: the layouts, the diagnoses, and the figures of results/clinic.json.

    python -m tests.clinic.page

writes them into the page anew. A test holds that the page has them.
"""

import json
import re
from pathlib import Path
from typing import Any

from numpy_lstm.clinic import PRESETS, Layout, examine_sequence
from tests.clinic.worked import overwritten
from tests.clinic.wrong_networks import diagnosis_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "clinic.md"
RECORD = ROOT / "results" / "clinic.json"
BATCH = {"rows": "rows", "columns": "columns", "column": "one column", "vector": "one vector"}


def blocks() -> dict[str, str]:
    """The text of each block, by its name."""
    public = examine_sequence(overwritten.lstm_forward, overwritten.lstm_backward)
    return {
        "layouts": layouts(),
        "diagnosis: overwritten": fenced(str(public)),
        "diagnosis: in_place": fenced(str(diagnosis_of("in_place"))),
        "diagnosis: helper_slopes": fenced(str(diagnosis_of("helper_slopes"))),
        **({"figures": figures(json.loads(RECORD.read_text("utf-8")))} if RECORD.exists() else {}),
    }


def layouts() -> str:
    """The table of layouts."""
    head = ["| layout | examples | weights | gates | also |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(layout_row(*each) for each in PRESETS.items())])


def layout_row(name: str, layout: Layout) -> str:
    """A line of the table of layouts."""
    weights = ", ".join(
        f"`{each.format('…')}` ({'inputs, units' if layout.inputs_first else 'units, inputs'})"
        if parts != "1"
        else f"`{each.format('…')}`"
        for each, parts in layout.weights.items()
    )
    also = [
        f"{each} on [{', '.join(parts)}]"
        for each, parts in ((n.format("…"), p) for n, p in layout.weights.items())
        if len(parts) > 1
    ]
    also += {0: [], 1: ["batch first"], -1: ["time last"], None: ["a list of steps"]}[layout.time]
    also += ["a dict"] if layout.params == "dict" else []
    gates = ", ".join(layout.gates)
    return f"| {name} | {BATCH[layout.batch]} | {weights} | {gates} | {'; '.join(also)} |"


def fenced(text: str) -> str:
    """As a block of code."""
    return f"```\n{text}\n```"


def figures(record: dict[str, Any]) -> str:
    """What the record says, as tables."""
    known, right, wrong, pairs = (record[k] for k in ("known", "right", "wrong", "pairs"))
    count = {key: sum(each[key] for each in pairs.values()) for key in pairs["lstm"]}
    rows = [
        "| | examined | found |",
        "|---|---|---|",
        f"| right implementations, {right['styles']} styles, float64 and float32 "
        f"| {right['implementations']} | {right['accepted']} accepted |",
        f"| known bugs | {known['bugs']} "
        f"| {known['named']} named, {known['localized']} localized |",
        f"| pairs of known bugs, numbers alone | {count['pairs']} | "
        f"{count['pairs'] - count['like_another_pair'] - count['like_a_single_bug']} "
        "have a gradient of their own |",
        f"| of these, handed to the clinic | {count['handed_to_the_clinic']} | "
        f"{count['of_these_named']} named |",
        f"| wrong networks in styles of public code | {wrong['networks']} | "
        f"{wrong['localized']} localized, {wrong['lines']} to the line |",
        "",
        "| random faults in | faults | one | two | more, with it | other equations | missed "
        "| line | named | named elsewhere |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    keys = "faults one two more other_equations missed line names named_elsewhere".split()
    total = dict.fromkeys(keys, 0)
    for layout, counts in record["random"].items():
        values = {key: counts.get(key, 0) for key in keys}
        total = {key: total[key] + values[key] for key in keys}
        rows.append(f"| {layout} | " + " | ".join(str(values[key]) for key in keys) + " |")
    rows.append("| all | " + " | ".join(f"{total[key]:,}" for key in keys) + " |")
    return "\n".join(rows)


def filled(page: str) -> str:
    """The page with its blocks as they should be."""
    for name, text in blocks().items():
        kind = name.partition(":")[0]
        page = re.sub(
            rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end of {kind} -->)",
            lambda match, text=text: f"{match[1]}{text}\n{match[2]}",
            page,
            flags=re.S,
        )
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
