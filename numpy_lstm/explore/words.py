"""A review's words: how the verdict would move with each of them, and what each contributes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm import bptt
from numpy_lstm.cells import LSTMParams, sigmoid
from numpy_lstm.classifier import classifier_backward, classifier_forward
from numpy_lstm.data.corpus import keep_last
from numpy_lstm.data.text import UNKNOWN, tokenize
from numpy_lstm.explore import small_models
from numpy_lstm.explore.controls import Answer, Control, Question, Setting, View
from numpy_lstm.explore.drawing import (
    axis,
    chart,
    heights,
    line,
    log_axis,
    number,
    plain,
    round_ticks,
    table,
)
from numpy_lstm.explore.examples import EXAMPLES
from numpy_lstm.predict.integrated_gradients import explain
from numpy_lstm.predict.written import as_written
from numpy_lstm.recurrence.norms import norms
from numpy_lstm.recurrent import cell_of
from numpy_lstm.types import Array

LONGEST = 2000  # letters of a text of one's own
MOST_WORDS = 100  # that the small models read
EDGE = 10  # words at the beginning and at the end that the sentence compares
LEFT = 0.05  # log-odds; more than that unexplained is said
LOW, HIGH = -10, 2
ROLES = {"rnn": "RNN", "lstm": "LSTM"}


class Reading(NamedTuple):
    """What one model makes of a review of L words."""

    logit: float
    x: Array  # (L,) norm of the logit's gradient in each word's vector
    h: Array  # (L,) and in each state
    c: Array | None
    state: Array  # (L,) norm of h, or of c in the LSTM
    gates: Array | None  # (L, 3) means of i, f, o
    contributions: Array | None  # (L,) of integrated gradients
    baseline: float  # logit without the words

    @property
    def from_words(self) -> float:
        """The sum of the contributions."""
        return 0.0 if self.contributions is None else float(self.contributions.sum())


@lru_cache(maxsize=1)
def models() -> dict[str, small_models.SmallModel]:
    """The small models, read once."""
    return small_models.load()


def read(text: str, model: str, epoch: int, *, contributions: bool) -> Reading:
    """Read a text with a model after an epoch.

    The gradient is the logit's: the loss's divided by the error, the probability less the label.
    """
    small = models()[model]
    classifier = small.epochs[epoch]
    tokens = keep_last(small.vocabulary.encode([text]), small.settings.max_length).tokens
    L = len(tokens)
    logits, cache = classifier_forward(classifier, tokens[:, np.newaxis], np.array([L]))
    g = classifier_backward(np.ones_like(logits), cache)
    params, xs = cell_of(classifier.parameters), classifier.parameters["embedding"][tokens]
    zeros, gates = np.zeros((1, params.W_h.shape[1])), None
    if isinstance(params, LSTMParams):
        steps = bptt.lstm_forward(xs[:, np.newaxis], params, zeros, zeros).cache
        gates = np.array([[step.i_t.mean(), step.f_t.mean(), step.o_t.mean()] for step in steps])
        states = [step.f_t * step.c_prev + step.i_t * step.g_t for step in steps]
    else:
        states = list(bptt.rnn_forward(xs[:, np.newaxis], params, zeros).hs)
    baseline, added = explain(classifier, tokens) if contributions else (0.0, None)
    return Reading(
        logit=float(logits[0]),
        x=norms(g.dxs.swapaxes(1, 2))[:, 0],
        h=g.dh_norms[:, 0],
        c=None if g.dc_norms is None else g.dc_norms[:, 0],
        state=np.linalg.norm(np.array(states)[:, 0], axis=1),
        gates=gates,
        contributions=added,
        baseline=baseline,
    )


def answer(setting: Setting) -> Answer:
    """The words colored for both models, their norms as charts, all numbers as a table."""
    text = text_of(setting)
    if not tokenize(text):
        said = "There is no word in this text yet: type a review."
        return {"charts": [], "table": table("No word", ("word",), []), "sentence": said}
    contributions, epoch = setting["shown"] == "contribution", int(setting["epoch"])
    found = {model: read(text, model, epoch, contributions=contributions) for model in models()}
    rnn, lstm = found["rnn"], found["lstm"]
    L = len(rnn.x)
    words, order = as_written(text, L), list(range(1, L + 1))
    vocabulary = models()["rnn"].vocabulary
    tokens = keep_last(vocabulary.encode([text]), MOST_WORDS).tokens
    places = axis("word of the review", 1, max(L, 2), round_ticks(1, max(L, 2)))
    scale = log_axis("norm of the logit's gradient", LOW, HIGH, 2)
    return {
        "charts": [
            chart(
                "In each word's vector",
                places,
                scale,
                [line(ROLES[m], m, heights(one.x), x=order) for m, one in found.items()],
                follows="word",
            ),
            chart(
                "In the state after each word",
                places,
                scale,
                [
                    line("RNN h", "rnn", heights(rnn.h), x=order),
                    line("LSTM c", "lstm", heights(np.asarray(lstm.c)), x=order),
                    line("LSTM h", "lstm-h", heights(lstm.h), x=order),
                ],
                follows="word",
            ),
        ],
        "words": {
            "words": words,
            "unknown": np.flatnonzero(tokens == UNKNOWN).tolist(),
            "rows": [_row(model, one) for model, one in found.items()],
            "details": [
                _details(words[k], k, found, known=bool(tokens[k] != UNKNOWN)) for k in range(L)
            ],
        },
        "table": _table(words, found),
        "sentence": _sentence(found, epoch, contributions),
    }


def text_of(setting: Setting) -> str:
    """The text to be read."""
    own = setting["example"] == "own"
    return str(setting["text"]) if own else EXAMPLES[int(setting["example"])][1]


def ends(values: Array, edge: int = EDGE) -> float:
    """Mean of the first words' values over that of the last words'."""
    return float(values[:edge].mean() / values[-edge:].mean())


def _row(model: str, one: Reading) -> dict[str, Any]:
    """A model's colors: shares of its largest gradient, or of its largest contribution."""
    values = one.x if one.contributions is None else one.contributions
    largest = float(abs(values).max()) or 1.0
    return {
        "name": ROLES[model],
        "role": model,
        "verdict": f"P(positive) = {number(float(sigmoid(np.array(one.logit))))}",
        "shares": plain(values / largest, 3),
        "signed": one.contributions is not None,
    }


def _details(word: str, k: int, found: dict[str, Reading], *, known: bool) -> list[str]:
    """Norms, gates and state at one word."""
    rnn, lstm = found["rnn"], found["lstm"]
    assert lstm.c is not None and lstm.gates is not None
    i, f, o = (number(float(gate)) for gate in lstm.gates[k])
    added = [
        "" if one.contributions is None else f"; contributes {_signed(one.contributions[k])}"
        for one in (rnn, lstm)
    ]
    unknown = "" if known else ", which the models do not know"
    return [
        f"“{word}”, word {k + 1} of {len(rnn.x)}{unknown}",
        f"RNN: gradient {number(rnn.x[k])} in x, {number(rnn.h[k])} in h; ‖h‖ ="
        f" {number(rnn.state[k])}{added[0]}",
        f"LSTM: gradient {number(lstm.x[k])} in x, {number(lstm.h[k])} in h,"
        f" {number(lstm.c[k])} in c; ‖c‖ = {number(lstm.state[k])}; gates: forget {f}, input {i},"
        f" output {o}{added[1]}",
    ]


def _signed(value: float) -> str:
    return f"{round(float(value), 2) + 0.0:+.2f}".replace("-", "−")  # and no -0.00


def _rest(one: Reading) -> str:
    """What the integration could not assign to a word."""
    rest = one.logit - one.baseline - one.from_words
    return f", {_signed(rest)} unexplained" if abs(rest) >= LEFT else ""


def _table(words: list[str], found: dict[str, Reading]) -> dict[str, Any]:
    rnn, lstm = found["rnn"], found["lstm"]
    assert lstm.c is not None and lstm.gates is not None
    columns = ["word", "RNN x", "LSTM x", "RNN h", "LSTM h", "LSTM c", "forget", "input", "output"]
    rows = [
        [word, *(number(float(v)) for v in values)]
        for word, *values in zip(
            words, rnn.x, lstm.x, rnn.h, lstm.h, lstm.c, *lstm.gates.T[[1, 0, 2]], strict=True
        )
    ]
    if rnn.contributions is not None and lstm.contributions is not None:
        columns += ["RNN contribution", "LSTM contribution"]
        for row, one, other in zip(rows, rnn.contributions, lstm.contributions, strict=True):
            row += [_signed(one), _signed(other)]
    return table("Norm of the logit's gradient at each word, and the gates", columns, rows)


def _sentence(found: dict[str, Reading], epoch: int, contributions: bool) -> str:
    when = f"After epoch {epoch}" if epoch else "Before training"
    if contributions:
        sums = "; ".join(
            f"{ROLES[model]} {_signed(one.logit)}, of which {_signed(one.baseline)} without words"
            f" and {_signed(one.from_words)} from them{_rest(one)}"
            for model, one in found.items()
        )
        return f"{when}, the contributions add up to each model's log-odds of positive: {sums}."
    edge = min(EDGE, len(found["rnn"].x) // 2)  # no word is of both ends
    if edge == 0:
        rnn, lstm = (number(one.x[0]) for one in found.values())
        said = f"the gradient at the only word is {rnn} in the RNN, and {lstm} in the LSTM"
    else:
        rnn, lstm = (number(ends(one.x, edge)) for one in found.values())
        first, last = (f"{edge} words", f"{edge}") if edge > 1 else ("word", "word")
        said = (
            f"the gradient at the first {first} is {rnn} times that at the last {last} in the RNN,"
            f" and {lstm} times in the LSTM"
        )
    return (
        f"{when}, {said}; it says how the verdict would move with a word, not what the word has"
        " contributed."
    )


def view() -> View:
    """The view; without the models it says how to get them."""
    try:
        last = len(models()["rnn"].epochs) - 1
    except ValueError:
        last = 0
    names = (*(name for name, _ in EXAMPLES), "a text of my own")
    examples = (*range(len(EXAMPLES)), "own")
    return View(
        "words",
        "A review's words",
        "Two small models read a review word by word. The stronger a word's color, the larger the"
        " gradient at it of the logit, the log-odds of a positive review; the strongest is the"
        " largest of its row. If contributions are shown, blue words speak for a positive review,"
        " orange ones with dots below against it. The models do not know the words in italics.",
        (
            Control("example", "review", "choice", 0, examples, names, offered=examples[:-1]),
            Control(
                "text",
                f"your text: it stays on this machine, and the last {MOST_WORDS} words are read",
                "text",
                "",
                needs=("example", "own"),
                longest=LONGEST,
            ),
            Control("epoch", "epoch", "slider", last, tuple(range(last + 1))),
            Control(
                "shown",
                "colored by",
                "choice",
                "gradient",
                ("gradient", "contribution"),
                ("the gradient: sensitivity", "the contribution, by integrated gradients"),
            ),
            Control("word", "word", "slider", 1, tuple(range(1, MOST_WORDS + 1)), local=True),
        ),
        _questions(last),
        answer,
    )


def _questions(last: int) -> tuple[Question, ...]:
    def first_words() -> tuple[str, str]:
        rnn, lstm = (
            ends(read(EXAMPLES[0][1], model, last, contributions=False).x) for model in ROLES
        )
        right = "same" if rnn > 0.5 else "less" if rnn > 0.05 else "little"
        return right, (
            f"at the first {EDGE} words it is {number(rnn)} times that at the last {EDGE}; in the"
            f" LSTM, {number(lstm)} times."
        )

    def largest() -> tuple[str, str]:
        same, said = [], []
        for model, name in ROLES.items():
            one = read(EXAMPLES[1][1], model, last, contributions=True)
            words = as_written(EXAMPLES[1][1], len(one.x))
            assert one.contributions is not None
            felt, gave = int(one.x.argmax()), int(abs(one.contributions).argmax())
            same.append(felt == gave)
            said.append(
                f"the {name}'s gradient is largest at “{words[felt]}”, and “{words[gave]}”"
                f" contributes most, {_signed(one.contributions[gave])}"
            )
        right = "both" if all(same) else "one" if any(same) else "neither"
        lesson = " Sensitivity is not contribution." if right != "both" else ""
        return right, f"{'; '.join(said)}.{lesson}"

    return (
        Question(
            "A review opens with its verdict and then tells the story. In the trained RNN, how does"
            f" the gradient at its first {EDGE} words compare with that at its last {EDGE}?",
            {
                "same": "It is as large, or nearly: at least half.",
                "less": "It is less: between a twentieth and a half.",
                "little": "It is less than a twentieth.",
            },
            {"example": 0, "epoch": last},
            first_words,
        ),
        Question(
            "The gradient at a word says how the verdict would move with it. Is the word with the"
            " largest gradient also the one that contributes most to the verdict?",
            {
                "both": "Yes, in both models.",
                "one": "In one of the models.",
                "neither": "In neither of them.",
            },
            {"example": 1, "epoch": last, "shown": "contribution"},
            largest,
        ),
    )
