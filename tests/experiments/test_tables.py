from numpy_lstm.experiments.statistics import describe, spread
from numpy_lstm.experiments.tables import tables


def interval(mean, low, high):
    return {"n": 3, "mean": mean, "sd": 0.1, "low": low, "high": high}


def test_a_row_for_each_condition_and_a_column_for_each_quantity():
    summary = {
        "rnn": {"test_accuracy": interval(0.8601, 0.85, 0.8712), "norm": interval(0.5, 0.25, 1.0)},
        "lstm": {"test_accuracy": interval(0.9, 0.9, 0.9), "solved": None, "count": 12},
    }
    assert tables(summary).splitlines() == [
        "|  | test accuracy | norm | solved | count |",
        "|---|---|---|---|---|",
        "| rnn | 86.01 (85.00 to 87.12) | 0.500 (0.250 to 1.00) |  |  |",
        "| lstm | 90.00 (90.00 to 90.00) |  | – | 12 |",
    ]


def test_a_median_has_its_range_behind_it():
    assert tables({"rnn": {"test_accuracy": spread([0.5, 0.75, 0.625])}}).splitlines()[2:] == [
        "| rnn | 62.50 (50.00 to 75.00) |"
    ]


def test_a_summary_of_accuracies_alone_is_a_column_in_per_cent():
    assert tables({"rnn": interval(0.5, 0.4, 0.6), "lstm": describe([0.75])}).splitlines() == [
        "|  | mean (interval) |",
        "|---|---|",
        "| rnn | 50.00 (40.00 to 60.00) |",
        "| lstm | 75.00 (75.00 to 75.00) |",
    ]


def test_a_two_way_table_has_the_part_with_fewer_values_on_top():
    summary = {
        f"task, {cell}, T={T}": {"solved": f"{cell} {T}", "other": 1.0}
        for cell in ("a", "b")
        for T in (1, 2, 3)
        if (cell, T) != ("b", 2)
    }
    assert tables(summary, "solved").splitlines() == [
        "| solved | task, a | task, b |",
        "|---|---|---|",
        "| T=1 | a 1 | b 1 |",
        "| T=2 | a 2 |  |",
        "| T=3 | a 3 | b 3 |",
    ]
    swapped = {f"{cell}, T={T}": {"solved": f"{cell} {T}"} for cell in "abc" for T in (1, 2)}
    assert tables(swapped, "solved").splitlines() == [
        "| solved | T=1 | T=2 |",
        "|---|---|---|",
        "| a | a 1 | a 2 |",
        "| b | b 1 | b 2 |",
        "| c | c 1 | c 2 |",
    ]


def test_a_two_way_table_of_accuracies_is_in_per_cent():
    summary = {
        "rnn, K=0": interval(0.8, 0.7, 0.9),
        "rnn, K=25": {
            "test_accuracy": interval(0.5, 0.4, 0.6),
            "gradient": interval(1.0, 1.0, 1.0),
        },
    }
    assert tables(summary, "test_accuracy").splitlines() == [
        "| test accuracy | rnn |",
        "|---|---|",
        "| K=0 | 80.00 (70.00 to 90.00) |",
        "| K=25 | 50.00 (40.00 to 60.00) |",
    ]


def test_numbers_have_three_significant_digits():
    values = {"a": 0.012345, "b": 123.4, "c": 1e-9, "d": 7}
    assert tables({"x": values}).splitlines()[-1] == "| x | 0.0123 | 123 | 1.00e-09 | 7 |"


def test_several_quantities_make_several_tables_and_one_that_no_condition_has_none():
    summary = {
        "rnn, K=0": {"left": 0.5, "norm": 1.0},
        "rnn, K=1": {"left": 0.25},
        "lstm, K=0": {"left": 0.75, "norm": 2.0},
    }
    assert tables(summary, "left", "solved", "norm").splitlines() == [
        "| left | rnn | lstm |",
        "|---|---|---|",
        "| K=0 | 0.500 | 0.750 |",
        "| K=1 | 0.250 |  |",
        "",
        "| norm | K=0 |",
        "|---|---|",
        "| rnn | 1.00 |",
        "| lstm | 2.00 |",
    ]
