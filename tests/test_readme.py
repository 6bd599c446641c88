"""What the README and its pages say is what was measured, and its example prints what it says."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from numpy_lstm.experiments import comparison, gradient_flow
from numpy_lstm.experiments.comparison import LABELS
from numpy_lstm.experiments.gradient_or_memory import LEAD
from numpy_lstm.gradcheck.pytrees import leaves
from tests.on_record import contents

ROOT = Path(__file__).parents[1]
README, RUNS, EXPERIMENTS = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/runs.md", "docs/experiments/README.md")
)
NAMES = {"rnn": "vanilla RNN", "lstm": "LSTM", "bag": "order-free bag"}


def results_table():
    """The README's table, from the metrics of the run."""
    metrics = json.loads((ROOT / "results" / "imdb" / "metrics.json").read_text())
    lines = [
        "| | test accuracy | test loss (nats) | gradient 20 back | gradient a step"
        " | cell parameters |",
        "|---|---|---|---|---|---|",
    ]
    for name, scores in metrics["models"].items():
        lines.append(
            f"| {NAMES[name]} | {100 * scores['test_accuracy']:.2f} % | {scores['test_loss']:.3f}"
            f" | ×{scores['gradient_20_steps_back']:.2g} | ×{scores['gradient_decay_per_step']:.3f}"
            f" | {scores['cell_parameters']:,} |"
        )
    bag = metrics["baselines"]["bag"]
    lines.append(
        f"| {NAMES['bag']} | {100 * bag['test_accuracy']:.2f} % | {bag['test_loss']:.3f} | | | |"
    )
    return "\n".join(lines)


def comparison_table():
    """The README's table of five seeds, from the experiment's summary."""
    recorded = contents("comparison")
    lines = [
        "| | mean test accuracy | 95 % interval | standard deviation | LSTM's lead, points |",
        "|---|---|---|---|---|",
    ]
    for condition, label in LABELS.items():
        scores, lead = (
            recorded["summary"][condition],
            recorded["summary"].get(f"lstm - {condition}"),
        )
        mean, low, high, sd = (100 * scores[name] for name in ("mean", "low", "high", "sd"))
        ahead = (
            f"{100 * lead['mean']:+.2f} ({100 * lead['low']:+.2f} to {100 * lead['high']:+.2f})"
            if lead
            else ""
        )
        lines.append(f"| {label} | {mean:.2f} % | {low:.2f} to {high:.2f} | {sd:.2f} | {ahead} |")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("name", "table", "page"),
    [("imdb", results_table, RUNS), ("comparison", comparison_table, README)],
    ids=["imdb", "comparison"],
)
def test_a_table_is_that_of_the_results_on_record(name, table, page):
    block = re.search(f"<!-- results: {name} -->\n(.*?)<!-- end of results -->", page, re.S)
    assert block[1].strip() == table()


@pytest.mark.parametrize(("experiment", "seeds"), [(comparison, 5), (gradient_flow, 20)])
def test_an_experiment_on_record_is_of_these_seeds_and_of_all_reviews(experiment, seeds):
    name = experiment.__name__.rpartition(".")[2]
    recorded = contents(name)
    conditions = experiment.conditions(False)
    trials = {(trial["condition"], trial["seed"]) for trial in recorded["trials"]}
    assert trials == {(condition, seed) for condition in conditions for seed in range(seeds)}
    assert not recorded["quick"]
    # SciPy interpolates between quantiles in one way or another: the last bit is its version's.
    expected = leaves(experiment.summarize(recorded["trials"]))
    assert leaves(recorded["summary"]) == {
        path: value if isinstance(value, str) else pytest.approx(value, rel=1e-12)
        for path, value in expected.items()
    }


IN_SENTENCES = [
    ("verdict", "rnn, orthogonal", "test_accuracy"),
    ("verdict", "lstm, b_f=1", "test_accuracy"),
    ("lag", "rnn, uniform, K=100", "test_accuracy"),
    ("lag", "rnn, orthogonal, K=100", "test_accuracy"),
    ("lag", "lstm, b_f=0, K=100", "test_accuracy"),
    ("lag", "lstm, b_f=1, K=100", "test_accuracy"),
    ("padding", "lstm, as published", "test_accuracy"),
    ("padding", "lstm, padded in front", "test_accuracy"),
    ("padding", "lstm, masked", "test_accuracy"),
    ("words", "lstm, last 50", ""),
    ("words", "lstm, last 400", ""),
    ("words", "rnn, bags of 1", ""),
    ("words", "lstm, bags of 1", ""),
    ("words", "rnn, bags of 400", ""),
    ("words", "lstm, bags of 400", ""),
    ("best", "LSTM and n-grams", "test_accuracy"),
    ("best", "LSTM and n-grams", "n_grams_test_accuracy"),
    ("saliency", "rnn", "first_to_last"),
    ("saliency", "lstm", "first_to_last"),
    ("small_sets", "defaults, 1000 reviews", ""),
    ("small_sets", "defaults and unlabeled, 1000 reviews", ""),
    ("small_sets", "TF-IDF, 1000 reviews", ""),
]

IN_README = ("lstm, last 50", "lstm, last 400")


@pytest.mark.parametrize(("experiment", "condition", "quantity"), IN_SENTENCES)
def test_a_mean_in_a_sentence_is_that_of_the_results(experiment, condition, quantity):
    summary = contents(experiment)["summary"]
    scores = summary[condition][quantity] if quantity else summary[condition]
    keys = ("mean", "low", "high") if "mean" in scores else ("median", "min", "max")
    mean, low, high = (scores[name] for name in keys)
    if quantity == "first_to_last":
        said = f"{mean:.2f} ({low:.2f} to {high:.2f})"
    elif experiment == "best":  # its two are closer than a tenth of a point would tell
        said = f"{100 * mean:.2f} % ({100 * low:.2f} to {100 * high:.2f})"
    else:
        said = f"{100 * mean:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
    page = README if condition in IN_README else EXPERIMENTS
    assert said in " ".join(page.split())


def test_leads_and_factors_in_sentences_are_those_of_the_results():
    leads = contents("gradient_or_memory")["summary"]
    for treatment in ("whole", "gradient cut at 10", "memory cut at 10"):
        of = leads[f"lstm, b_f=1, {treatment}"][LEAD]
        mean, low, high = (f"{100 * of[name]:.1f}" for name in ("mean", "low", "high"))
        for text in (README, EXPERIMENTS):
            assert f" by {mean} ({low} to {high})" in " ".join(text.split())
    flow = contents("gradient_flow")["summary"]
    for cell in ("rnn, trained", "lstm, trained"):
        assert "×{median:.3f} ({min:.3f} to {max:.3f})".format(**flow[cell]["x"]) in EXPERIMENTS


def test_the_instrument_reads_true():
    summary = contents("gradient_flow")["summary"]
    for condition in ("lstm, f = 1/2", "lstm, f = 1"):
        # The medians on record have six digits.
        assert summary[condition]["largest_error_of_the_instrument"] < 1e-5


def test_the_example_prints_what_the_readme_says():
    code, output = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", README, re.S).groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == output


def test_the_answer_of_the_trained_model_is_the_one_on_record():
    (shown,) = re.findall(r"```\n((?:positive|negative) .*?)```", README, re.S)
    assert shown == (ROOT / "results" / "imdb" / "predict.txt").read_text(encoding="utf-8")


def test_every_file_that_the_readme_names_exists():
    names = re.findall(r"`((?:numpy_lstm|tests|results)/[\w/.-]+)`", README)
    names += re.findall(r"\]\(([\w/.-]+)\)", README)
    assert names
    for name in names:
        assert (ROOT / name).exists(), name
