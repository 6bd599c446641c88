"""Conditions that do nothing, choices by the test reviews, figures that say the opposite."""

from tests.faults import Fault

BEST, COMPARISON, EXCHANGE, FLOW, LAG, MEMORY, PADDING, REVIEWS, RUNNER, SALIENCY, WORDS = (
    f"experiments/{name}.py"
    for name in (
        "best",
        "comparison",
        "exchange",
        "gradient_flow",
        "lag",
        "memory",
        "padding",
        "reviews",
        "runner",
        "saliency",
        "words",
    )
)
FLOW_FIGURE, TRUNCATED = "experiments/gradient_flow_figure.py", "experiments/truncated.py"

FAULTS: list[Fault] = [
    # --- choices ---------------------------------------------------------------------------------
    Fault(
        "C of TF-IDF is chosen on the test reviews",
        COMPARISON,
        "model.score(features[1], labels[1])",
        "model.score(features[2], labels[2])",
        "experiments.test_comparison.test_c_of_tf_idf_is_chosen_on_the_validation_reviews",
    ),
    Fault(
        "TF-IDF knows the words of the test reviews",
        COMPARISON,
        "vectorizer.fit_transform(reviews.texts(splits.train))",
        "vectorizer.fit([t for part in splits for t in reviews.texts(part)])"
        ".transform(reviews.texts(splits.train))",
        "experiments.test_comparison"
        ".test_tf_idf_knows_the_words_and_pairs_of_three_training_reviews",
    ),
    Fault(
        "a training review's n-gram score comes from a regression that has seen it",
        BEST,
        "_regression(train[others], labels[others])(train[own])",
        "_regression(train, labels)(train[own])",
        "experiments.test_best"
        ".test_a_training_reviews_score_comes_from_a_regression_that_has_not_seen_it",
    ),
    Fault(
        "the best epoch is that of the largest validation loss",
        BEST,
        "if loss < best_loss:",
        "if loss > best_loss or best_loss == np.inf:",
        "experiments.test_best.test_the_best_epoch_is_that_of_the_smallest_validation_loss",
    ),
    Fault(
        "scores are added to other reviews",
        BEST,
        'indices = indices[np.argsort(-part.lengths[indices], kind="stable")]  # as in the batch',
        "pass",
        "experiments.test_best.test_gradients_are_those_of_the_loss_with_each_reviews_own_score",
    ),
    Fault(
        "shuffled labels are those of the test reviews",
        BEST,
        "splits = splits._replace(train=splits.train._replace(labels=labels))",
        "splits = splits._replace(test=splits.test._replace(labels=splits.test.labels[::-1]))",
        "experiments.test_best"
        ".test_shuffled_labels_are_those_of_training_alone_for_both_parts_of_the_model",
    ),
    Fault(
        "a copy of a validation review is not counted as seen",
        BEST,
        "seen = {*pieces(splits.train), *pieces(splits.validation)}",
        "seen = {*pieces(splits.train)}",
        "experiments.test_best.test_copies_are_test_reviews_that_training_or_validation_has",
    ),
    Fault(
        "the learning rate is chosen on the test reviews",
        LAG,
        "progress = trained[rate]",
        "rate = max(trained, key=lambda r: reviews.scores(trained[r], splits, own)"
        '["test_accuracy"])\n    progress = trained[rate]',
        "experiments.test_lag"
        ".test_the_learning_rate_is_chosen_by_the_loss_on_the_validation_reviews",
    ),
    Fault(
        "the learning rate is chosen by the last epoch",
        "experiments/reviews.py",
        '{rate: training_scores(state)["val_loss"] for rate, state',
        "{rate: state.history[-1].val_loss for rate, state",
        "experiments.test_reviews"
        ".test_of_several_learning_rates_the_smallest_validation_loss_decides",
    ),
    Fault(
        "the slower learning rate counts",
        MEMORY,
        "rate = min(solved, key=lambda rate: solved[rate])",
        "rate = max(solved, key=lambda rate: solved[rate])",
        "experiments.test_memory.test_the_rate_that_solves_the_task_first_counts",
        (
            ("needed", [640, 320]),
            ("expected", {"solved": True, "sequences": 320, "learning_rate": 3e-3}),
        ),
    ),
    Fault(
        "one good evaluation is enough",
        MEMORY,
        "EVERY, IN_A_ROW, FRESH = 25, 2, 256",
        "EVERY, IN_A_ROW, FRESH = 25, 1, 256",
        "experiments.test_memory.test_a_task_is_solved_by_two_good_evaluations_in_a_row",
    ),
    Fault(
        "good evaluations count that are not in a row",
        MEMORY,
        "in_a_row + 1 if is_good else 0",
        "in_a_row + 1 if is_good else in_a_row",
        "experiments.test_memory.test_a_task_is_solved_by_two_good_evaluations_in_a_row",
    ),
    Fault(
        "adding is solved at ten times the error",
        MEMORY,
        "** 2).mean() < 0.01",
        "** 2).mean() < 0.1",
        "experiments.test_memory.test_adding_is_solved_at_a_mean_squared_error_below_a_hundredth",
    ),
    Fault(
        "adding is judged by the mean error, in which errors cancel",
        MEMORY,
        "((answers[:, 0] - test.targets) ** 2).mean()",
        "(answers[:, 0] - test.targets).mean() ** 2",
        "experiments.test_memory.test_adding_is_solved_at_a_mean_squared_error_below_a_hundredth",
    ),
    # --- conditions ------------------------------------------------------------------------------
    Fault(
        "the wide RNN is not as large as the LSTM",
        COMPARISON,
        "16 * H * (D + H + 1)",
        "8 * H * (D + H + 1)",
        "experiments.test_comparison.test_the_wide_rnn_has_as_many_cell_parameters_as_the_lstm",
    ),
    Fault(
        "the forget bias of the condition is not used",
        FLOW,
        "        forget_bias=own.forget_bias,\n",
        "",
        "experiments.test_gradient_flow.test_the_forget_bias_is_the_conditions",
        (("bias", 3),),
    ),
    Fault(
        "a scale of 0.5 or 1.5 does nothing",
        FLOW,
        'settings.get("scale", 1.0)',
        'settings.get("scales", 1.0)',
        "experiments.test_gradient_flow.test_orthogonal_weights_are_scaled_as_the_condition_says",
        (("name", " x 1.5"), ("scale", 1.5)),
    ),
    Fault(
        "another gate is held than the forget gate",
        FLOW,
        "forget = slice(H, 2 * H)",
        "forget = slice(2 * H, 3 * H)",
        "experiments.test_gradient_flow"
        ".test_the_instruments_forget_gate_is_held_and_nothing_recurs",
        (("condition", "lstm, f = 1/2"), ("gate", 0.5)),
    ),
    Fault(
        "uniform weights are asked for and not used",
        REVIEWS,
        "        state.parameters.update(uniform_cell(model, vectors.shape[1], settings))",
        "        uniform_cell(model, vectors.shape[1], settings)",
        "experiments.test_reviews.test_uniform_weights_replace_those_of_the_cell_and_no_others",
        (("model", "rnn"),),
    ),
    Fault(
        "a forget bias is no setting",
        REVIEWS,
        "if name in Settings.__dataclass_fields__}",
        'if name in Settings.__dataclass_fields__ and name != "forget_bias"}',
        "experiments.test_reviews.test_settings_are_the_jobs_with_the_changes_of_the_condition",
    ),
    Fault(
        "every trial is trained from seed 0",
        REVIEWS,
        '**(QUICK if quick else {}), "seed": seed}',
        '**(QUICK if quick else {}), "seed": 0}',
        "experiments.test_reviews.test_settings_are_the_jobs_with_the_changes_of_the_condition",
    ),
    Fault(
        "every trial is run from seed 0",
        RUNNER,
        "conditions[condition], seed, quick)",
        "conditions[condition], 0, quick)",
        "experiments.test_runner.test_every_condition_runs_from_every_seed_seed_by_seed",
    ),
    Fault(
        "a trial is run again although it is in the file",
        RUNNER,
        "if (condition, seed) not in trials",
        "if (condition, str(seed)) not in trials",
        "experiments.test_runner.test_only_what_is_missing_is_run_and_the_rest_stays",
    ),
    Fault(
        "test reviews are left out with the training reviews",
        REVIEWS,
        "return Splits(*map(function, splits._replace(train=train)))",
        "splits = splits._replace(train=train, test=select(splits.test, np.arange(2)))\n"
        "    return Splits(*map(function, splits))",
        "experiments.test_reviews.test_all_parts_are_cut_and_only_training_reviews_are_left_out",
    ),
    Fault(
        "the first training reviews are kept, not random ones",
        REVIEWS,
        "select(train, order[:n_train])",
        "select(train, np.sort(order)[:n_train])",
        "experiments.test_reviews.test_all_parts_are_cut_and_only_training_reviews_are_left_out",
    ),
    Fault(
        "the scores on the test reviews are those of the last epoch",
        REVIEWS,
        "evaluate(state.best_parameters, splits.test, settings)",
        "evaluate(state.parameters, splits.test, settings)",
        "experiments.test_reviews"
        ".test_scores_are_those_of_the_epoch_with_the_smallest_validation_loss",
    ),
    Fault(
        "chrono closes the forget gates and opens the input gates",
        MEMORY,
        "cell.b[:HIDDEN] = -cell.b[HIDDEN : 2 * HIDDEN]",
        "cell.b[:HIDDEN] = cell.b[HIDDEN : 2 * HIDDEN]",
        "experiments.test_memory"
        ".test_chrono_opens_the_forget_gates_for_up_to_t_and_the_input_gates_as_little",
    ),
    Fault(
        "the forget bias of the long-lag tasks is not used",
        MEMORY,
        'for name in ("recurrent", "forget_bias") if name in settings',
        'for name in ("recurrent",) if name in settings',
        "experiments.test_memory.test_cells_start_as_their_condition_says",
    ),
    Fault(
        "reviews are padded in front where the condition says at the end",
        PADDING,
        'real if padding == "post"',
        'real if padding == "pre"',
        "experiments.test_padding.test_padding_stands_where_the_condition_says",
        (("mode", "post"), ("texts", [[5, 6, 0, 0], [1, 2, 3, 4]])),
    ),
    Fault(
        "the published number of epochs is not what stops the training",
        PADDING,
        'state.epoch < settings["stop_after"]',
        "state.epoch < own.epochs",
        "experiments.test_padding.test_a_condition_trains_on_what_it_says",
    ),
    Fault(
        "the weights that count have had a step of the next epoch",
        PADDING,
        "predict_logits(last or state.parameters, splits.test, own)",
        "predict_logits(state.parameters, splits.test, own)",
        "experiments.test_padding"
        ".test_the_result_counts_right_answers_of_the_last_epoch_on_the_test_reviews",
    ),
    Fault(
        "Keras's start has a matrix for each gate",
        PADDING,
        '"W_h": orthogonal(H, gates, rng=rng).astype(np.float32),',
        '"W_h": np.concatenate([orthogonal(H, rng=rng) for _ in range(gates)], dtype=np.float32),',
        "experiments.test_padding.test_each_gates_block_of_kerass_start_shrinks_what_it_multiplies",
    ),
    Fault(
        "Keras's Adam has our epsilon",
        PADDING,
        "    state.optimizer.epsilon = EPSILON\n",
        "",
        "experiments.test_padding.test_a_condition_starts_as_keras_does",
        (("model", "lstm"),),
    ),
    Fault(
        "the first and the last words are exchanged",
        WORDS,
        'keep_last if settings["end"] == "last" else keep_first',
        'keep_first if settings["end"] == "last" else keep_last',
        "experiments.test_words.test_a_condition_trains_on_its_end_of_all_parts",
        (("end", "first"), ("text", [2, 3])),
    ),
    # --- results ---------------------------------------------------------------------------------
    Fault(
        "the gradient is read one step after the review's end",
        LAG,
        "np.nanmedian(by_distance[distance])",
        "np.nanmedian(by_distance[distance - 1])",
        "experiments.test_lag"
        ".test_the_learning_rate_is_chosen_by_the_loss_on_the_validation_reviews",
    ),
    Fault(
        "the gradient before training is that of the best epoch",
        LAG,
        '("start", lambda _: 0)',
        '("start", lambda r: r["best_epoch"])',
        "experiments.test_lag.test_the_summary_has_every_seed_and_what_arrives_at_start_and_best",
    ),
    Fault(
        "the gradient at the best epoch is that of the last one",
        LAG,
        '("best", lambda r: r["best_epoch"])',
        '("best", lambda _: -1)',
        "experiments.test_lag.test_the_summary_has_every_seed_and_what_arrives_at_start_and_best",
    ),
    Fault(
        "the worst cell has the first rank",
        LAG,
        "rankdata(np.negative(accuracies))",
        "rankdata(accuracies)",
        "experiments.test_lag.test_a_rank_is_among_the_cells_of_the_same_seed_and_lag",
    ),
    Fault(
        "cells are ranked together at all lags",
        LAG,
        '(trial["settings"]["lag"], trial["seed"])',
        '(0, trial["seed"])',
        "experiments.test_lag.test_a_rank_is_among_the_cells_of_the_same_seed_and_lag",
    ),
    Fault(
        "heights are compared, which the review's error decides",
        FLOW,
        "ratios: Array = by_distance / np.where(last > 0, last, np.nan)",
        "ratios: Array = by_distance + np.where(last > 0, 0, np.nan)",
        "experiments.test_gradient_flow.test_a_reviews_error_does_not_count",
    ),
    Fault(
        "norms are over their mean at the last step, not each review's own",
        FLOW,
        "    last = by_distance[0]\n",
        "    last = np.full_like(by_distance[0], by_distance[0].mean())\n",
        "experiments.test_gradient_flow.test_a_reviews_error_does_not_count",
    ),
    Fault(
        "a trained cell is measured at its last epoch",
        FLOW,
        "norms = state.norms[state.best_epoch]",
        "norms = state.norms[-1]",
        "experiments.test_gradient_flow"
        ".test_a_trained_cell_is_measured_at_its_best_epoch_on_validation_reviews",
        (("model", "rnn"),),
    ),
    Fault(
        "the first steps are compared with earlier ones",
        FLOW,
        "kept(xs)[:half]",
        "kept(xs)[-half:]",
        "experiments.test_gradient_flow"
        ".test_the_same_steps_are_compared_with_and_without_words_before",
        (("model", "rnn"),),
    ),
    Fault(
        "the epochs of a training begin before it",
        FLOW,
        'result["by_epoch"][1:]',
        'result["by_epoch"]',
        "experiments.test_gradient_flow"
        ".test_of_trained_cells_the_summary_has_the_epochs_and_the_accuracy",
    ),
    Fault(
        "seeds are counted in which the RNN keeps less",
        FLOW,
        "far(a, edge) > far(b, edge)",
        "far(a, edge) < far(b, edge)",
        "experiments.test_gradient_flow"
        ".test_seeds_are_counted_in_which_the_rnn_keeps_more_than_the_lstm",
    ),
    Fault(
        "the first weights are those of the order's seed",
        EXCHANGE,
        'replace(own, seed=seeds["weights"])',
        'replace(own, seed=seeds["order"])',
        "experiments.test_exchange.test_a_part_comes_from_the_seed_that_the_condition_says",
        (("part", "weights"),),
    ),
    Fault(
        "the control is off by nothing",
        EXCHANGE,
        "W_h += np.float32(OFF) * W_h",
        "W_h += np.float32(0) * W_h",
        "experiments.test_exchange.test_the_control_is_all_of_a_but_for_a_trace_in_w_h",
    ),
    Fault(
        "word vectors are those of other words",
        EXCHANGE,
        "np.where(known, other.vectors[rows], prepared.vectors)",
        "np.where(known, other.vectors, prepared.vectors)",
        "experiments.test_exchange.test_vectors_are_carried_over_word_by_word",
    ),
    Fault(
        "a and b are exchanged in what a part changes",
        EXCHANGE,
        'b["decay_per_step"]["x"] - a["decay_per_step"]["x"]',
        'a["decay_per_step"]["x"] - b["decay_per_step"]["x"]',
        "experiments.test_exchange"
        ".test_the_summary_has_every_combination_and_what_each_part_changes",
    ),
    Fault(
        "the decay is that of the epoch before the best",
        COMPARISON,
        "decay_per_step(state.norms[state.best_epoch].x)",
        "decay_per_step(state.norms[state.best_epoch - 1].x)",
        "experiments.test_comparison"
        ".test_the_networks_are_the_jobs_and_are_scored_at_their_best_epoch",
        (("condition", "lstm"),),
    ),
    Fault(
        "the lead of the LSTM is that of the other",
        COMPARISON,
        'leads = [a["test_accuracy"] - b["test_accuracy"] for',
        'leads = [b["test_accuracy"] - a["test_accuracy"] for',
        "experiments.test_comparison.test_the_lead_is_the_lstms_over_the_other_seed_by_seed",
    ),
    Fault(
        "what the LSTM alone has right is what the other alone has right",
        COMPARISON,
        'only_one_right(a["test_right"], b["test_right"])',
        'only_one_right(b["test_right"], a["test_right"])',
        "experiments.test_comparison"
        ".test_reviews_that_one_alone_has_right_are_counted_seed_by_seed",
    ),
    Fault(
        "reviews that both have right are counted",
        COMPARISON,
        "np.unpackbits(a & ~b)",
        "np.unpackbits(a)",
        "experiments.test_comparison"
        ".test_reviews_that_one_alone_has_right_are_counted_seed_by_seed",
    ),
    Fault(
        "single words are pairs too",
        COMPARISON,
        "ngram_range=(1, n_grams)",
        "ngram_range=(1, 2)",
        "experiments.test_comparison"
        ".test_tf_idf_knows_the_words_and_pairs_of_three_training_reviews",
    ),
    Fault(
        "the gain over the n-grams is that on the other part",
        BEST,
        'r[f"n_grams_{part}_accuracy"]',
        'r["n_grams_val_accuracy"]',
        "experiments.test_best"
        ".test_the_gain_is_over_the_n_grams_alone_and_a_leak_in_any_seed_shows",
    ),
    Fault(
        "the ratio of first to last words is upside down",
        SALIENCY,
        "float(np.mean(first) / np.mean(last))",
        "float(np.mean(last) / np.mean(first))",
        "experiments.test_saliency"
        ".test_the_ratio_is_that_of_the_first_ten_words_to_each_reviews_own_last_ten",
    ),
    Fault(
        "the last words are those of the padded batch",
        SALIENCY,
        "lambda n: slice(n - 10, n)",
        "lambda n: slice(-10, None)",
        "experiments.test_saliency"
        ".test_the_ratio_is_that_of_the_first_ten_words_to_each_reviews_own_last_ten",
    ),
    Fault(
        "the error of an instrument is the smallest",
        FLOW,
        'float(abs(ratios / settings["held"] - 1).max())',
        'float(abs(ratios / settings["held"] - 1).min())',
        "experiments.test_gradient_flow"
        ".test_the_error_of_an_instrument_is_its_largest_of_all_steps_and_reviews",
    ),
    Fault(
        "reviews without padding are counted with those of a hundred steps",
        PADDING,
        "np.searchsorted(FILLED, filled)",
        'np.searchsorted(FILLED, filled, side="right")',
        "experiments.test_padding.test_right_answers_are_counted_by_the_steps_of_padding",
    ),
    Fault(
        "the median of the sequences counts tasks that were not solved",
        MEMORY,
        'for result in results if result["solved"]]',
        "or 0 for result in results]",
        "experiments.test_memory.test_the_summary_counts_the_seeds_that_solve_a_task",
    ),
    # --- figures ---------------------------------------------------------------------------------
    Fault(
        "the mean over the seeds is not geometric",
        FLOW_FIGURE,
        "np.array([geometric_mean(values) for values in medians])",
        "np.array([np.mean(values) for values in medians])",
        "experiments.test_gradient_flow_figure"
        ".test_centers_and_theory_are_geometric_means_over_the_seeds",
    ),
    Fault(
        "the curve of theory falls one step too early",
        FLOW_FIGURE,
        "factor ** np.arange(steps)",
        "factor ** np.arange(1, steps + 1)",
        "experiments.test_gradient_flow_figure"
        ".test_centers_and_theory_are_geometric_means_over_the_seeds",
    ),
    Fault(
        "theory and norms of the RNN are drawn over the LSTM",
        FLOW_FIGURE,
        'axes = rnn if condition.startswith("rnn") else lstm',
        'axes = lstm if condition.startswith("rnn") else rnn',
        "experiments.test_gradient_flow_figure"
        ".test_untrained_cells_are_drawn_with_their_theory_in_their_color",
    ),
    Fault(
        "the models exchange their names at the lines",
        FLOW_FIGURE,
        "            MODEL_NAMES[model],\n            place,",
        '            MODEL_NAMES["lstm" if model == "rnn" else "rnn"],\n            place,',
        "experiments.test_gradient_flow_figure.test_every_seed_of_the_trained_cells_is_a_line",
        (("edge", "median"), ("scale", 1), ("name", "median")),
    ),
    Fault(
        "conditions of a figure have the names of others",
        COMPARISON,
        "[LABELS[condition] for condition in grouped]",
        "list(LABELS.values())[::-1]",
        "experiments.test_comparison"
        ".test_every_seed_is_a_mark_in_its_conditions_row_and_the_mean_a_line",
    ),
    Fault(
        "lines join means, which lie between the clumps",
        LAG,
        "float(np.median(seeds)) for seeds in of",
        "float(np.mean(seeds)) for seeds in of",
        "experiments.test_lag.test_the_figure",
    ),
    Fault(
        "the figure shows the gradient after training twice",
        LAG,
        "lambda result: result[GRADIENTS[1]][0]",
        'lambda result: result[GRADIENTS[1]][result["best_epoch"]]',
        "experiments.test_lag.test_the_figure",
    ),
    Fault(
        "the band around the mean shows one seed",
        WORDS,
        "[max(v) for v in values]",
        "[min(v) for v in values]",
        "experiments.test_words.test_the_summary_and_the_figure_are_of_the_test_accuracy",
    ),
    Fault(
        "the panels of the tasks exchange their titles",
        MEMORY,
        'axes.set_title(task.replace("_", " "), fontsize=9)',
        'axes.set_title([*TASKS][::-1][[*TASKS].index(task)].replace("_", " "), fontsize=9)',
        "experiments.test_memory"
        ".test_the_figure_has_a_panel_for_each_task_and_a_line_for_each_cell",
    ),
    Fault(
        "words are as deep as their norm is small",
        SALIENCY,
        "norm / largest if largest else 0.0",
        "1 - norm / largest if largest else 0.0",
        "experiments.test_saliency"
        ".test_words_are_as_deep_as_their_norm_in_the_color_of_their_model",
    ),
    # --- gradients that are cut ------------------------------------------------------------------
    Fault(
        "a cut gradient ends one word before the seam",
        TRUNCATED,
        "early = np.maximum(batch.lengths - k, 0)",
        "early = np.maximum(batch.lengths - k + 1, 0)",
        "experiments.test_truncated"
        ".test_the_last_k_words_have_the_whole_gradient_and_the_others_none",
        (("model", "lstm"), ("k", 3)),
    ),
    Fault(
        "with the gradient cut, the memory is cut too",
        TRUNCATED,
        "state[:n] = getattr(out, name)",
        "state[:n] = 0",
        "experiments.test_truncated.test_the_forward_pass_is_that_of_the_whole_review",
        (("model", "lstm"), ("k", 3)),
    ),
    Fault(
        "the gradient of 1997 takes the detour through W_h",
        TRUNCATED,
        "_replace(W_h=np.zeros_like(recurrence.params.W_h))",
        "_replace()",
        "experiments.test_truncated.test_the_gradient_of_1997_is_that_of_the_plain_loop",
    ),
]
