"""The pages on the experiments say what the files in results/ say."""

import json
import re

import pytest

from numpy_lstm.experiments import runner
from numpy_lstm.experiments.tables import tables
from tests.on_record import ROOT, contents, page

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
DONE = [name for name in runner.EXPERIMENTS if (ROOT / "results" / f"{name}.json").exists()]


def minutes_table():
    """Minutes of one thread each experiment took, and how many trials that were."""
    rows = ["| | trials | seeds | minutes of one core |", "|---|---|---|---|"]
    for name in DONE:
        trials = contents(name)["trials"]
        seeds = len({trial["seed"] for trial in trials})
        minutes = sum(trial["seconds"] for trial in trials) / 60
        rows.append(f"| {name} | {len(trials)} | {seeds} | {minutes:.0f} |")
    return "\n".join(rows)


def block(name, text):
    return f"<!-- table: {name} -->\n{text}\n<!-- end of table -->"


@pytest.mark.parametrize("name", DONE)
def test_a_page_has_the_table_and_the_figure_of_the_results(name):
    pivots = getattr(runner.module(name), "PIVOTS", ())
    assert block(name, tables(contents(name)["summary"], *pivots)) in page(name)
    assert f"](../../results/{name}.png)" in page(name)


@pytest.mark.parametrize("name", DONE)
def test_a_page_asks_what_the_experiment_asks_and_says_what_it_does_not_show(name):
    assert page(name).startswith(f"# {runner.title(name)}\n")
    parts = ["## What was done", "## What it shows", "## What it does not show"]
    assert re.findall("^## .*", page(name), re.M) == parts


def test_the_index_names_every_experiment_and_its_minutes():
    index = page("README")
    for name in runner.EXPERIMENTS:
        assert f"| [{name}]({name}.md) | {runner.title(name)} |" in index
    assert block("minutes", minutes_table()) in index


@pytest.mark.parametrize("name", DONE)
def test_every_arm_has_the_same_seeds_and_at_least_five(name):
    trials = contents(name)["trials"]
    seeds = {
        condition: sorted(t["seed"] for t in trials if t["condition"] == condition)
        for condition in runner.module(name).conditions(False)
    }
    assert all(own == list(range(len(own))) and len(own) >= 5 for own in seeds.values())


@pytest.mark.parametrize("name", DONE)
def test_the_committed_trials_have_todays_settings(name):
    """Else the code would tell of other ones, and the command would not go on with them."""
    conditions = json.loads(json.dumps(runner.module(name).conditions(False)))
    assert all(t["settings"] == conditions[t["condition"]] for t in contents(name)["trials"])


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_every_link_to_a_file_leads_to_one(path):
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if not (path.parent / link).exists()]
    assert missing == []
