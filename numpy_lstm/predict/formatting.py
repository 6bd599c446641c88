"""Results for readers: lines, colored words in a terminal, an HTML page.

Blue is positive and orange negative, which color-blind readers can distinguish.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from numpy_lstm.files import check_replaceable, write_atomically

EXCERPT = 60  # characters of a review on its line
TOP = 8  # words listed for each label
LEFT = 0.05  # log-odds; a larger residual is shown
TERMINAL = {True: "\x1b[38;5;33m", False: "\x1b[38;5;208m"}  # positive: blue; negative: orange
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>What moved the logit</title>
<style>
body {{ max-width: 50em; margin: 2em auto; padding: 0 1em; font: 16px/1.7 sans-serif; }}
span {{ border-radius: 3px; padding: 1px 2px; }}
.unknown {{ text-decoration: underline dotted; }}
</style>
<h1>What moved the logit</h1>
<p>{model}: words that raised the probability P are <span style="background:{blue}">blue</span>,
words that lowered it <span style="background:{orange}">orange</span>. Point at a word for what it
added to the log-odds (integrated gradients). Words with dots below are unknown to the model.</p>
{reviews}
</html>
"""


def line(result: dict[str, Any]) -> str:
    """One line: label, probability, and the beginning of the review."""
    text = "".join(c if c.isprintable() else " " for c in result["review"])
    excerpt = text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"
    if result["label"] is None:
        return f"unknown   no known word  {excerpt}"
    return f"{result['label']}  {_probability(result)}  {excerpt}"


def paragraph(result: dict[str, Any], *, in_color: bool) -> str:
    """The words with the largest contributions for each label; in color, also the whole text."""
    keys = ("baseline", "residual", "words", "unknown")
    baseline, residual, words, unknown = (result["explanation"][key] for key in keys)
    lines = [f"  logit {result['logit']:+.2f}, of which {baseline:+.2f} without the words"]
    if abs(residual) >= LEFT:
        lines[0] += f" and {residual:+.2f} unexplained"
    towards = str(result["probability_of"])
    others = [name for name in result["probabilities"] if name != towards]
    against = others[0] if len(others) == 1 else "the other classes"
    for name, sign in ((towards, 1), (against, -1)):
        pulls = sorted(words, key=lambda pair: -sign * pair[1])[:TOP]
        named = ", ".join(f"{word} {x:+.2f}" for word, x in pulls if sign * x >= 0.005)
        lines.append(f"  towards {name}: {named or 'none'}")
    if names := list(dict.fromkeys(words[k][0] for k in unknown)):
        more = f" and {len(names) - TOP} more" if len(names) > TOP else ""
        lines.append(f"  unknown to the model: {', '.join(names[:TOP])}{more}")
    if in_color:
        largest = max(abs(x) for _, x in words) or 1.0
        lines.append("  " + " ".join(_in_color(word, x / largest) for word, x in words))
    return "\n".join(lines)


def write_page(path: Path, results: Iterable[dict[str, Any]], model: Path) -> None:
    """Write one self-contained HTML page, completely or not at all.

    Raises
    ------
    ValueError
        If something else than such a page is there.
    OSError
        If it cannot be written.
    """
    check_page(path)
    page = PAGE.format(
        model=html.escape(str(model)),
        blue=_background(1),
        orange=_background(-1),
        reviews="\n".join(map(_section, results)),
    )
    write_atomically(path, lambda file: file.write(page.encode(errors="replace")))


def check_page(path: Path) -> None:
    """Whether a page may be written here: there is nothing, or an earlier one of this command.

    Raises
    ------
    ValueError
        If something else is there.
    """
    check_replaceable(path, PAGE[: PAGE.index("<style>")].encode(), "--html")


def _section(result: dict[str, Any]) -> str:
    words, unknown = (result["explanation"][k] for k in ("words", "unknown"))
    largest = max((abs(x) for _, x in words), default=0) or 1.0
    spans = " ".join(
        f'<span{" class=unknown" * (k in unknown)} style="background:{_background(x / largest)}"'
        f' title="{x:+.3f}">{html.escape(word)}</span>'
        for k, (word, x) in enumerate(words)
    )
    if result["label"] is None:
        return f"<h2>unknown: no word that the model knows</h2>\n<p>{spans}</p>"
    residual = result["explanation"]["residual"]
    rest = f"\n<p>{residual:+.2f} of the logit is unexplained.</p>" if abs(residual) >= LEFT else ""
    title = html.escape(f"{result['label']}, {_probability(result)}")
    return f"<h2>{title}</h2>\n<p>{spans}</p>{rest}"


def _probability(result: dict[str, Any]) -> str:
    return f"P({result['probability_of']}) = {result['probability']:.4f}"


def _in_color(word: str, pull: float) -> str:
    """A word with its color for the terminal; `pull` is in [-1, 1], a weak one gives no color."""
    if abs(pull) < 0.1:
        return word
    return f"{TERMINAL[pull > 0]}{BOLD if abs(pull) > 0.5 else ''}{word}{PLAIN}"


def _background(pull: float) -> str:
    red, green, blue = (51, 136, 238) if pull > 0 else (238, 119, 51)
    return f"rgba({red},{green},{blue},{abs(pull):.2f})"
