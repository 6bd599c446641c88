"""All views in their order, and the answers to what the page asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy_lstm.explore import (
    break_it,
    epochs,
    lag_and_padding,
    one_step,
    starting_weights,
    words,
)
from numpy_lstm.explore.controls import View, check_setting, offered, offered_settings


def views_of(run: Path | None) -> dict[str, View]:
    """The views by name; `run` is the folder of a run whose epochs are shown."""
    listed = (
        starting_weights.VIEW,
        epochs.view(run),
        words.view(),
        one_step.VIEW,
        lag_and_padding.VIEW,
        break_it.VIEW,
    )
    return {view.name: view for view in listed}


def respond(views: dict[str, View], asked: object) -> dict[str, Any]:
    """Answer what the page asks: the outcome of a prediction, or a view at a setting.

    Raises
    ------
    ValueError
        If there is no such view, question or setting.
    """
    if not isinstance(asked, dict) or not isinstance(asked.get("view"), str):
        raise ValueError("what is asked must name its `view`")
    if asked["view"] not in views:
        raise ValueError(f"`view` must be one of {', '.join(views)}; got {asked['view'][:40]!r}")
    view = views[asked["view"]]
    if "question" not in asked:
        return view.answer(check_setting(view.controls, asked.get("setting", {})))
    k = asked["question"]
    if type(k) is not int or not 0 <= k < len(view.questions):
        raise ValueError(f"`question` must be one of 0 … {len(view.questions) - 1}")
    return outcome(view, k)


def outcome(view: View, k: int) -> dict[str, str]:
    """What was measured on a question, and which option that is."""
    right, measured = view.questions[k].judge()
    return {"right": right, "measured": measured}


def every_answer(view: View) -> dict[str, Any]:
    """All that the page in one file can be asked of a view, by the key that it asks with."""
    return {
        "answers": {key: view.answer(setting) for key, setting in offered_settings(view.controls)},
        "outcomes": [outcome(view, k) for k in range(len(view.questions))],
    }


def about(view: View, *, live: bool) -> dict[str, Any]:
    """What the page must know of a view before it asks anything."""
    controls = []
    for control in view.controls:
        if control.kind == "text" and not live:
            continue
        values = control.values if live else offered(control)
        texts = dict(zip(control.values, control.texts or map(_shown, control.values), strict=True))
        controls.append(
            {
                "name": control.name,
                "label": control.label,
                "kind": control.kind,
                "default": control.default,
                "values": values,
                "texts": [texts[value] for value in values],
                "needs": control.needs,
                "local": control.local,
                "longest": control.longest,
            }
        )
    return {
        "name": view.name,
        "title": view.title,
        "lead": view.lead,
        "controls": controls,
        "questions": [
            {"text": each.text, "options": each.options, "setting": each.setting}
            for each in view.questions
        ],
    }


def _shown(value: object) -> str:
    return (f"{value:g}" if isinstance(value, float) else str(value)).replace("-", "−")
