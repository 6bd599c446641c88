"""What a view is, what can be set in it, and the check of what somebody asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, Literal, NamedTuple

Value = str | int | float
Setting = dict[str, Value]
Answer = dict[str, Any]  # plain data, as JSON has it


class Control(NamedTuple):
    """One thing to be set. What is not among its values cannot be asked for."""

    name: str
    label: str
    kind: Literal["slider", "choice", "text"]
    default: Value
    values: tuple[Value, ...] = ()  # of a text: none
    texts: tuple[str, ...] = ()  # how the values are shown, if not as they are
    offered: tuple[Value, ...] = ()  # the values that the page in one file has; all if empty
    needs: tuple[str, Value] | None = None  # no effect unless the control so named has this value
    local: bool = False  # moves what is shown of an answer, and asks for none
    longest: int = 0  # letters of a text


class Question(NamedTuple):
    """A prediction that is asked for before anything moves."""

    text: str
    options: dict[str, str]
    setting: Setting  # what differs from the defaults
    judge: Callable[[], tuple[str, str]]  # the right option, and what was measured


class View(NamedTuple):
    """One of the things to explore."""

    name: str
    title: str
    lead: str
    controls: tuple[Control, ...]
    questions: tuple[Question, ...]
    answer: Callable[[Setting], Answer]


def check_setting(controls: tuple[Control, ...], given: object) -> Setting:
    """What was asked for, with the defaults for the rest.

    Raises
    ------
    ValueError
        If it holds a name, a value or a length that is not among those of the controls.
    """
    if not isinstance(given, dict):
        raise ValueError("`setting` must be names and values")
    asked = {control.name: control for control in controls if not control.local}
    if unknown := [str(name)[:40] for name in given if name not in asked]:
        raise ValueError(f"`setting` has no {unknown[0]!r}; there are {', '.join(asked)}")
    setting = {name: _checked(control, given.get(name)) for name, control in asked.items()}
    return {
        name: asked[name].default if _is_moot(asked[name], setting) else value
        for name, value in setting.items()
    }


def offered_settings(controls: tuple[Control, ...]) -> Iterator[tuple[str, Setting]]:
    """Every setting of the page in one file, with its key: the places of its values.

    The first control changes fastest: what depends on the others alone is then repeated at once,
    which packs well.
    """
    asked = [control for control in controls if not control.local and control.kind != "text"]
    for reversed_places in product(*(range(len(offered(control))) for control in asked[::-1])):
        places = reversed_places[::-1]
        setting = {
            control.name: offered(control)[k] for control, k in zip(asked, places, strict=True)
        }
        if all(
            setting[control.name] == control.default
            for control in asked
            if _is_moot(control, setting)
        ):
            yield " ".join(map(str, places)), setting


def offered(control: Control) -> tuple[Value, ...]:
    """The values of a control in the page in one file."""
    return control.offered or control.values


def span(low: float, high: float, steps: int) -> tuple[float, ...]:
    """Evenly spaced values of a slider, both ends among them.

    >>> span(0, 1, 4)
    (0.0, 0.25, 0.5, 0.75, 1.0)
    """
    return tuple(round(low + (high - low) * k / steps, 6) for k in range(steps + 1))


def _checked(control: Control, value: object) -> Value:
    if value is None:
        return control.default
    if control.kind == "text":
        if not isinstance(value, str) or len(value) > control.longest:
            raise ValueError(
                f"`{control.name}` must be a text of at most {control.longest:,} letters"
            )
        return value
    for allowed in control.values:
        # 1 and 1.0 are one number to JavaScript; True is none.
        if value == allowed and isinstance(value, bool) == isinstance(allowed, bool):
            return allowed
    raise ValueError(f"`{control.name}` has no value {str(value)[:40]!r}")


def _is_moot(control: Control, setting: Mapping[str, Value]) -> bool:
    return control.needs is not None and setting[control.needs[0]] != control.needs[1]
