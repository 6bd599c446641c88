from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.experiments import statistics
from numpy_lstm.experiments.statistics import describe, geometric_mean, spread


def test_mean_and_standard_deviation_of_a_sample():
    summary = describe([1.0, 2.0, 6.0])
    assert list(summary) == ["n", "mean", "sd", "low", "high"]
    assert summary["n"] == 3 and summary["mean"] == 3.0  # the median is 2
    assert summary["sd"] == pytest.approx(np.sqrt(7))  # 14 / 2, not 14 / 3


def test_a_spread_is_the_median_and_the_range():
    assert spread([0.75, 0.25, 0.5, 1.0]) == {"n": 4, "median": 0.625, "min": 0.25, "max": 1.0}
    assert spread([2]) == {"n": 1, "median": 2.0, "min": 2.0, "max": 2.0}


def test_a_single_value_is_its_own_interval():
    assert describe([0.5]) == {"n": 1, "mean": 0.5, "sd": 0.0, "low": 0.5, "high": 0.5}


def test_the_interval_is_the_percentile_bootstraps_of_95_per_cent():
    # The mean of a resample of 0, 0, 1 is a binomial third: 1 with a probability of 1/27, between
    # 2.5 and 5 per cent; 0 with 8/27.
    summary = describe([0.0, 0.0, 1.0])
    assert (summary["low"], summary["high"]) == (0.0, 1.0)
    # Of four zeros and a 1, 3/5 or more in 5.8 per cent, and 4/5 or more in 0.67 per cent. A
    # reverse percentile interval would begin below 0.
    summary = describe([0.0, 0.0, 0.0, 0.0, 1.0])
    assert (summary["low"], summary["high"]) == (0.0, pytest.approx(0.6))


def test_the_interval_comes_from_10_000_resamples_always_the_same():
    with patch.object(statistics, "bootstrap", wraps=statistics.bootstrap) as spy:
        # Nearly all means of these differ, so that other resamples give another interval.
        values = np.random.default_rng(0).lognormal(size=12).tolist()
        assert describe(values) == describe(values)
    assert {call.kwargs["n_resamples"] for call in spy.mock_calls if call.kwargs} == {10_000}


def test_the_geometric_mean_is_that_of_the_logarithms():
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2.0)
    assert geometric_mean([1e-2, 1e-4]) == pytest.approx(1e-3)
    assert geometric_mean([0.0, 1.0]) == pytest.approx(1e-150, rel=1e-9, abs=0)  # 0 is 1e-300
