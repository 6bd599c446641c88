"""The page: one HTML with its style and script in it, live or with the answers worked out."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from numpy_lstm import __version__
from numpy_lstm.explore.controls import View
from numpy_lstm.explore.views import about, every_answer

FOLDER = Path(__file__).with_name("page")
MARK = b"<!DOCTYPE html>\n<!-- numpy_lstm explore -->\n"  # how a page of this command begins
WIDTH = 76  # letters in a line of packed answers


def page(views: dict[str, View], answers: str | None = None) -> tuple[str, str]:
    """The page, and its content security policy: what it may load and ask is said to the browser.

    Parameters
    ----------
    views : dict
        By name.
    answers : str, optional
        Of :func:`packed_answers`, for a page that asks nobody; without them it asks the server.
    """
    live = answers is None
    parts = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    script, style = parts["explore.js"], parts["explore.css"]
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",  # the icon, which is empty
            "connect-src 'self'" if live else "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    told: dict[str, Any] = {
        "live": live,
        "version": __version__,
        "views": [about(view, live=live) for view in views.values()],
    }
    text = parts["explore.html"]
    for place, part in {
        "{{policy}}": policy,
        "{{cell}}": parts["cell.svg"],
        "{{about}}": _in_script(json.dumps(told, ensure_ascii=False)),
        "{{answers}}": answers or "",
        "{{style}}": style,
        "{{script}}": script,
    }.items():
        text = text.replace(place, part)
    return text, f"{policy}; frame-ancestors 'none'"  # which only a header may say


def packed_answers(views: dict[str, View]) -> str:
    """Every answer that the controls of the page in one file offer."""
    return pack({name: every_answer(view) for name, view in views.items()})


def pack(answers: dict[str, Any]) -> str:
    """All answers as text of a quarter of their size: JSON, gzip, base64.

    >>> unpack(pack({"a": [1, "é"]}))
    {'a': [1, 'é']}
    """
    text = json.dumps(answers, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    packed = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return "\n".join(packed[k : k + WIDTH] for k in range(0, len(packed), WIDTH))


def unpack(packed: str) -> Any:
    """What :func:`pack` has packed."""
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def _in_script(text: str) -> str:
    """JSON in which nothing can end the script that it stands in."""
    return text.replace("<", "\\u003c")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
