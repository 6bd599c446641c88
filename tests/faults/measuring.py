"""Norms, decays and statistics that measure something else."""

from tests.faults import Fault

FLOW, STATISTICS = "gradient_flow.py", "experiments/statistics.py"
TABLES, PLOTS = "experiments/tables.py", "plots.py"
PARTS, PROCESSES, TABLE = (f"../benchmarks/{name}.py" for name in ("parts", "processes", "table"))
OWN_LOSS = "test_gradient_flow.test_the_recorded_norms_are_those_of_each_reviews_own_loss"

FAULTS: list[Fault] = [
    # --- the gradient's norms --------------------------------------------------------------------
    Fault(
        "a bag that is not full is no step",
        FLOW,
        "steps = -(-batch.lengths // classifier.bag_size)",
        "steps = batch.lengths // classifier.bag_size",
        OWN_LOSS,
        (("model", "lstm"), ("bag_size", 2)),
    ),
    Fault(
        "norms are those of the batch's mean loss",
        FLOW,
        "np.ones(len(batch.labels))",
        "batch.weights",
        "test_gradient_flow.test_the_weights_of_the_reviews_do_not_change_their_norms",
    ),
    Fault(
        "row k is k + 1 steps before the last",
        FLOW,
        "step = lengths - 1 - np.arange(len(per_step))[:, np.newaxis]",
        "step = lengths - 2 - np.arange(len(per_step))[:, np.newaxis]",
        "test_gradient_flow.test_distance_zero_is_each_reviews_own_last_step",
    ),
    Fault(
        "steps that a review does not have count as its first",
        FLOW,
        "np.where(step >= 0, turned, np.nan)",
        "turned",
        "test_gradient_flow.test_distance_zero_is_each_reviews_own_last_step",
    ),
    Fault(
        "the decay is that of the mean",
        FLOW,
        "np.nanmedian(by_distance, axis=1)",
        "np.nanmean(by_distance, axis=1)",
        "test_gradient_flow.test_the_decay_is_that_of_the_median_review",
    ),
    Fault(
        "distances without a gradient are closed up",
        FLOW,
        "np.polyfit(distance, np.log(median[distance]), 1)",
        "np.polyfit(np.arange(len(distance)), np.log(median[distance]), 1)",
        "test_gradient_flow.test_distances_without_a_gradient_are_left_out_and_not_closed_up",
    ),
    Fault(
        "the decay is that from the first distance to the last",
        FLOW,
        "slope, _ = np.polyfit(distance, np.log(median[distance]), 1)",
        "slope = np.log(median[distance[-1]] / median[distance[0]]) / np.ptp(distance)",
        "test_gradient_flow.test_the_decay_is_fitted_to_all_distances",
    ),
    Fault(
        "what is left of the gradient is the ratio of the medians",
        FLOW,
        "np.median(before[usable] / last[usable])",
        "np.median(before[usable]) / np.median(last[usable])",
        "test_gradient_flow"
        ".test_what_is_left_of_the_gradient_is_the_median_of_the_reviews_own_ratios",
        (("distance", 7),),
    ),
    Fault(
        "a user's own configuration changes the figures",
        PLOTS,
        "matplotlib.rc_context({**defaults, **STYLE})",
        "matplotlib.rc_context(STYLE)",
        "test_plots.test_what_a_user_has_configured_changes_no_figure",
    ),
    # --- what theory says they depend on ---------------------------------------------------------
    Fault(
        "the spectrum is that of another gate's block",
        FLOW,
        "square = params.W_h[2 * H : 3 * H]",
        "square = params.W_h[H : 2 * H]",
        "test_gradient_flow.test_the_lstms_spectrum_is_that_of_the_candidates_block",
    ),
    Fault(
        "a state near -1 is not counted as saturated",
        FLOW,
        "(abs(rnn_forward(xs, params).hs) > 0.95)",
        "(rnn_forward(xs, params).hs > 0.95)",
        "test_gradient_flow.test_a_state_is_saturated_near_one_and_near_minus_one",
    ),
    Fault(
        "a gate is saturated only within 0.005 of 0 or 1",
        FLOW,
        "(abs(gates - 0.5) > 0.45)",
        "(abs(gates - 0.5) > 0.495)",
        "test_gradient_flow"
        ".test_a_gate_is_saturated_near_zero_and_near_one_and_the_candidate_is_no_gate",
    ),
    Fault(
        "the product is that of the input gates",
        FLOW,
        "np.log(gates[:0:-1, 1])",
        "np.log(gates[:0:-1, 0])",
        "test_gradient_flow"
        ".test_the_forget_product_is_averaged_over_units_and_reviews_after_multiplying",
    ),
    Fault(
        "the product begins at the first step",
        FLOW,
        "np.log(gates[:0:-1, 1])",
        "np.log(gates[1:, 1])",
        "test_gradient_flow"
        ".test_the_forget_product_is_averaged_over_units_and_reviews_after_multiplying",
    ),
    Fault(
        "the geometric mean of the products stands for their mean",
        FLOW,
        "np.exp(log_f).mean(axis=(1, 2))",
        "np.exp(log_f.mean(axis=(1, 2)))",
        "test_gradient_flow"
        ".test_the_forget_product_is_averaged_over_units_and_reviews_after_multiplying",
    ),
    Fault(
        "the Jacobian goes one step further back",
        FLOW,
        "before, after = xs[:-lag, :1], xs[-lag:, :1]",
        "before, after = xs[: -lag - 1, :1], xs[-lag - 1 :, :1]",
        "test_gradient_flow.test_the_jacobian_of_a_vanilla_rnn_is_the_product_of_its_steps",
    ),
    Fault(
        "of the LSTM's two states the Jacobian has one",
        FLOW,
        "np.concatenate([g.dh0, g.dc0], axis=1)",
        "np.concatenate([g.dh0, 0 * g.dc0], axis=1)",
        "test_gradient_flow.test_the_jacobian_of_an_lstm_is_that_of_both_its_states",
    ),
    # --- statistics over the seeds ---------------------------------------------------------------
    Fault(
        "the interval holds 90 %",
        STATISTICS,
        'method="percentile", rng',
        'method="percentile", confidence_level=0.9, rng',
        "experiments.test_statistics.test_the_interval_is_the_percentile_bootstraps_of_95_per_cent",
    ),
    Fault(
        "the standard deviation divides by n",
        STATISTICS,
        "array.std(ddof=1)",
        "array.std()",
        "experiments.test_statistics.test_mean_and_standard_deviation_of_a_sample",
    ),
    Fault(
        "the geometric mean is the mean",
        STATISTICS,
        "np.exp(np.log(np.maximum(values, 1e-300)).mean())",
        "np.mean(values)",
        "experiments.test_statistics.test_the_geometric_mean_is_that_of_the_logarithms",
    ),
    Fault(
        "the interval is written with its ends exchanged",
        TABLES,
        'keys = ("mean", "low", "high")',
        'keys = ("mean", "high", "low")',
        "experiments.test_tables.test_a_row_for_each_condition_and_a_column_for_each_quantity",
    ),
    Fault(
        "the models exchange their colors",
        PLOTS,
        'COLORS = {"rnn": "#BB5566", "lstm": "#004488"}',
        'COLORS = {"rnn": "#004488", "lstm": "#BB5566"}',
        "test_plots.test_the_models_keep_their_names_and_looks",
    ),
    # --- the benchmarks --------------------------------------------------------------------------
    Fault(
        "a ratio of times is upside down",
        PROCESSES,
        "results[name][what] / results[other][what]",
        "results[other][what] / results[name][what]",
        "test_benchmark_numbers.test_ratios_are_the_first_over_the_second",
    ),
    Fault(
        "the fastest round stands for the median",
        PROCESSES,
        'statistics.median(results[name]["seconds"])',
        'min(results[name]["seconds"])',
        "test_benchmark_numbers.test_contenders_run_in_rounds_that_begin_with_another_each_time",
    ),
    Fault(
        "each round begins with the same contender",
        PROCESSES,
        "first = k % len(waiting)",
        "first = 0",
        "test_benchmark_numbers.test_contenders_run_in_rounds_that_begin_with_another_each_time",
    ),
    Fault(
        "ratios are averaged arithmetically",
        PROCESSES,
        "statistics.geometric_mean(known)",
        "statistics.fmean(known)",
        "test_benchmark_numbers"
        ".test_ratios_are_averaged_geometrically_and_not_without_the_missing_ones",
    ),
    Fault(
        "a product counts as one operation for each multiplication",
        PARTS,
        "rate = 2 * plan.square**3 /",
        "rate = plan.square**3 /",
        "test_benchmark_numbers.test_the_floor_is_the_products_at_full_rate_and_the_calls",
    ),
    Fault(
        "the exponent is that of time over the logarithm of the length",
        PARTS,
        "np.polyfit(np.log(lengths), np.log(values), 1)",
        "np.polyfit(np.log(lengths), values, 1)",
        "test_benchmark_numbers.test_the_exponent_is_that_of_a_law_through_all_lengths",
    ),
    Fault(
        "the range of the ratios begins with the largest",
        TABLE,
        "({min(ratios):.2f} to {max(ratios):.2f})",
        "({max(ratios):.2f} to {min(ratios):.2f})",
        "test_benchmark_numbers.test_the_summary_has_the_mean_and_the_range_of_each_model",
    ),
]
