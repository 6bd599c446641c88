"""Faults of all rooms that no test noticed when somebody else planted them for the first time."""

from tests.faults import Fault

SMALL, SEAMS = "experiments/small_sets.py", "experiments/gradient_or_memory.py"
SETS = "experiments.test_small_sets.test_"
SEAM = "experiments.test_gradient_or_memory.test_"
RATE = SEAM + "the_rate_of_the_smallest_loss_is_tested_on_the_words_that_are_kept"
LEARNED = SETS + "random_training_reviews_are_learned_and_random_test_reviews_scored"
NAMED = SETS + "each_condition_is_named_for_what_it_learns_from"
SHOWN, KEPT, ARCHIVE = "train.test_shown.test_", "train.test_checkpoint.test_", "data.test_archive."
CHECK = "gradcheck.test_check.test_"
OWN = SHOWN + "gradients_are_those_of_the_runs_own_reviews_and_bags"

FAULTS = [
    # --- experiments -----------------------------------------------------------------------------
    Fault(
        "of a few texts, the curve is a median where a mean is said",
        SMALL,
        "[np.mean(v) for v in values]",
        "[np.median(v) for v in values]",
        SETS + "the_summary_and_the_figure_are_of_the_test_accuracy",
    ),
    Fault(
        "a classifier with one other default is drawn with those of the defaults",
        SMALL,
        ' and "parameters" not in t["settings"]',
        "",
        SETS + "the_summary_and_the_figure_are_of_the_test_accuracy",
    ),
    Fault(
        "every seed's estimator has the random state 0",
        SMALL,
        "random_state=seed",
        "random_state=0",
        LEARNED,
        (("method", "defaults"),),
    ),
    Fault(
        "every classifier has the unlabeled reviews",
        SMALL,
        'UNLABELED if method == "defaults and unlabeled" else 0',
        "UNLABELED",
        LEARNED,
        (("method", "defaults"),),
    ),
    Fault(
        "the training job's settings are those of the defaults",
        SMALL,
        "        classifier.set_params(**JOB)\n",
        "        pass\n",
        SETS + "a_classifier_has_its_defaults_or_the_training_jobs_settings_or_one_of_them",
    ),
    Fault(
        "a condition of 1,000 reviews learns from 2,000",
        SMALL,
        '"n": 1_000,',
        '"n": 2_000,',
        NAMED,
    ),
    Fault(
        "the memory is kept where it is said to be cut",
        SEAMS,
        'if settings["kept"] == "neither" else',
        'if settings["kept"] == "memory" else',
        RATE,
        (("kept", "neither"), ("read", 2)),
    ),
    Fault(
        "the norms are those of another learning rate",
        SEAMS,
        "norms in trained[rate].norms]",
        "norms in trained[min(trained)].norms]",
        RATE,
        (("kept", "both"), ("read", 5)),
    ),
    Fault(
        "a scale of 1.5 is not passed on",
        SEAMS,
        '        scale=settings.get("scale", 1.0),\n',
        "",
        RATE,
        (("kept", "both"), ("read", 5)),
    ),
    Fault(
        "the two cuts exchange their names in the legend",
        SEAMS,
        '{"memory": "gradient cut", "neither": "memory cut"}',
        '{"memory": "memory cut", "neither": "gradient cut"}',
        SEAM + "the_figure_has_the_seams_accuracies_of_each_cell_under_their_names",
    ),
    Fault(
        "a condition's own gradients are not passed on",
        "experiments/reviews.py",
        "after_step=go_on, gradients_of=gradients_of)",
        "after_step=go_on)",
        "experiments.test_reviews.test_a_fit_takes_the_gradients_of_its_condition",
    ),
    Fault(
        "--jobs is passed over",
        "experiments/__main__.py",
        "jobs=options.jobs",
        "jobs=1",
        "experiments.test_command.test_as_many_trials_run_at_a_time_as_asked_for_and_else_one",
    ),
    # --- a run -----------------------------------------------------------------------------------
    Fault(
        "the repository's built-in runs have all the same seed",
        "train/committed.py",
        '"--seed", str(seed), ',
        '"--seed", "0", ',
        SHOWN + "the_built_in_runs_have_a_seed_each_and_are_made_once",
    ),
    Fault(
        "the distance is said to be in steps of four words",
        "train/figures.py",
        "{_words(bag_size)})",
        "{_words(4)})",
        OWN,
    ),
    Fault(
        "all gradients are said to be those of IMDB",
        "train/figures.py",
        "How far the gradient reaches: {DATA_SETS[dataset]}",
        "How far the gradient reaches: {DATA_SETS['imdb']}",
        OWN,
    ),
    Fault(
        "h and c of the LSTM look alike",
        "train/figures.py",
        ': c (cell state)", dashes="dotted")',
        ': c (cell state)")',
        SHOWN + "the_two_states_of_the_lstm_are_told_apart_by_their_dashes",
    ),
    Fault(
        "a run that was right on all reviews cannot go on",
        "train/checkpoint.py",
        "0 <= line.val_accuracy <= 1",
        "0 <= line.val_accuracy < 1",
        KEPT + "an_epoch_with_all_or_none_right_goes_on",
        (("accuracy", 1.0),),
    ),
    Fault(
        "arrays of another precision are taken",
        "train/checkpoint.py",
        "if (array.shape, array.dtype) != (example.shape, example.dtype):",
        "if array.shape != example.shape:",
        KEPT + "arrays_of_another_precision_do_not_go_on",
        (("kind", "parameters"),),
    ),
    Fault(
        "a terminal that is closed kills a run",
        "train/progress_bar.py",
        '("SIGINT", "SIGTERM", "SIGHUP")',
        '("SIGINT", "SIGTERM")',
        "train.test_results.test_whatever_ends_a_process_is_heard_unless_it_is_ignored",
    ),
    Fault(
        "a signal that is ignored, as under nohup, is heard",
        "train/progress_bar.py",
        "if handler not in (signal.SIG_IGN, None)",
        "if handler is not None",
        "train.test_results.test_whatever_ends_a_process_is_heard_unless_it_is_ignored",
    ),
    # --- what is read ----------------------------------------------------------------------------
    Fault(
        "the oldest kind of tar is empty",
        "data/archive.py",
        'if kind in b"0\\0":',
        'if kind in b"0":',
        ARCHIVE + "test_files_of_the_oldest_kind_of_tar_are_read_too",
    ),
    Fault(
        "only single members of a zip are limited",
        "data/archive.py",
        "unpacked += member.file_size",
        "unpacked = member.file_size",
        ARCHIVE + "test_the_members_of_a_zip_are_limited_together",
    ),
    Fault(
        "a link in a zip is read as a review",
        "data/archive.py",
        "member.external_attr >> 16",
        "member.external_attr >> 8",
        ARCHIVE + "test_links_in_a_zip_are_passed_over",
    ),
    Fault(
        "empty reviews at the end are dropped",
        "predict/reading.py",
        '.removesuffix("\\n")',
        '.rstrip("\\n")',
        "predict.test_reading.test_every_line_is_a_review_whatever_ends_it",
        (("contents", b"one\n\n\n"), ("reviews", ["one", "", ""])),
    ),
    Fault(
        "one review that is a number refuses the whole table",
        "predict/reading.py",
        "all(map(_is_number, reviews))",
        "any(map(_is_number, reviews))",
        "predict.test_reading.test_a_table_that_holds_a_review_of_digits_is_taken",
    ),
    # --- measuring -------------------------------------------------------------------------------
    Fault(
        "the noise of a function is taken for eight times as large",
        "gradcheck/slopes.py",
        " / math.comb(8, 4)))",
        "))",
        "gradcheck.test_derivatives.test_scatter_is_the_standard_deviation_of_what_is_not_smooth",
    ),
    Fault(
        "the hints on rounding are exchanged",
        "gradcheck/check.py",
        'if method == "complex step" else "complex step"',
        'if method != "complex step" else "complex step"',
        CHECK + "what_is_lost_in_rounding_comes_with_what_may_help",
        (("method", "central"), ("hint", "try complex step")),
    ),
    Fault(
        "a number is named by its place in the whole vector",
        "gradcheck/derivatives.py",
        "np.unravel_index(i - part.start,",
        "np.unravel_index(i,",
        CHECK + "the_number_around_which_nothing_is_finite_is_named",
    ),
    Fault(
        "the spectral radius is the largest real part",
        "gradient_flow.py",
        "float(abs(np.linalg.eigvals(square)).max())",
        "float(np.linalg.eigvals(square).real.max())",
        "test_gradient_flow.test_the_spectral_radius_is_the_largest_size_of_an_eigenvalue",
        (("eigenvalue", 0.75j),),
    ),
    Fault(
        "a gradient of 0 counts as one of 1e-30",
        "experiments/statistics.py",
        "np.maximum(values, 1e-300)",
        "np.maximum(values, 1e-30)",
        "experiments.test_statistics.test_the_geometric_mean_is_that_of_the_logarithms",
    ),
    Fault(
        "every call of the bootstrap draws anew",
        "experiments/statistics.py",
        "np.random.default_rng(0)",
        "np.random.default_rng()",
        "experiments.test_statistics.test_the_interval_comes_from_10_000_resamples_always_the_same",
    ),
    Fault(
        "the memory held now stands for the most that was held",
        "../benchmarks/processes.py",
        '"VmHWM:"',
        '"VmRSS:"',
        "test_benchmark_numbers.test_memory_is_the_most_that_was_held_less_what_the_imports_took",
    ),
    Fault(
        "what the imports took is counted as a contender's memory",
        "../benchmarks/processes.py",
        "pipe.send(_peak_bytes() - imported)",
        "pipe.send(_peak_bytes())",
        "test_benchmark_numbers.test_memory_is_the_most_that_was_held_less_what_the_imports_took",
    ),
    Fault(
        "the grid without AVX-512 is the grid with it",
        "../benchmarks/parts.py",
        "**grid(plan, environment)}",
        "**grid(plan)}",
        "test_benchmark_numbers.test_the_grid_without_avx512_is_measured_without_it",
    ),
    Fault(
        "a tolerance of 0 is taken for none",
        "gradcheck/check.py",
        "TOLERANCE.get(method, 0.0) if tolerance is None else tolerance",
        "tolerance or TOLERANCE.get(method, 0.0)",
        CHECK + "a_tolerance_of_zero_is_one",
    ),
    Fault(
        "products and calls exchange their columns",
        "../benchmarks/table.py",
        'for what in ("products", "calls")]',
        'for what in ("calls", "products")]',
        "test_benchmark_numbers.test_the_grids_table_has_each_time_in_its_column",
    ),
    Fault(
        "the spread of the rounds is that over the median round",
        "../benchmarks/table.py",
        "max(seconds) / min(seconds)",
        "max(seconds) / median(seconds)",
        "test_benchmark_numbers.test_the_grids_table_has_each_time_in_its_column",
    ),
    Fault(
        "a batch and the same padded exchange their columns",
        "../benchmarks/table.py",
        '("ours", "ours, padded")),\n',
        '("ours, padded", "ours")),\n',
        "test_benchmark_numbers"
        ".test_the_tables_of_ragged_batches_and_of_the_profile_have_each_number_in_its_column",
    ),
    Fault(
        "the time of a step is that of the slowest",
        "../benchmarks/table.py",
        'whole = (sum(case["seconds"]["whole"]) / len(case["seconds"]["whole"]) for',
        'whole = (max(case["seconds"]["whole"]) for',
        "test_benchmark_numbers"
        ".test_the_tables_of_ragged_batches_and_of_the_profile_have_each_number_in_its_column",
    ),
    Fault(
        "all batches of a benchmark are the first one",
        "../benchmarks/tasks.py",
        "make_batch(reviews, k * size + np.arange(size))",
        "make_batch(reviews, np.arange(size))",
        "test_benchmarks.test_the_batches_are_the_drawn_reviews_one_after_another",
    ),
    Fault(
        "kinds of folders are counted for reviews",
        "../benchmarks/preparation.py",
        "sum(PUBLISHED_COUNTS.values())",
        "len(PUBLISHED_COUNTS)",
        "test_benchmark_numbers."
        "test_what_comes_before_the_first_step_is_timed_on_the_reviews_that_are_named",
    ),
    # --- commands and weights --------------------------------------------------------------------
    Fault(
        "output that is lost at the very end ends with status 0",
        "terminal.py",
        "            err.flush()\n            out.flush()",
        "            err.flush()",
        "test_terminal.test_what_is_only_kept_back_and_then_lost_is_an_error_if_it_was_needed",
    ),
    Fault(
        "numpy-lstm.exe is called python -m numpy_lstm",
        "terminal.py",
        'name.partition(".")[0] == "numpy-lstm"',
        'name == "numpy-lstm"',
        "test_terminal.test_a_command_is_named_as_it_was_called",
        (
            ("called", "numpy-lstm.exe"),
            ("train", "numpy-lstm train"),
            ("alone", "numpy-lstm"),
        ),
    ),
    Fault(
        "two classes of one name are saved",
        "weights.py",
        " or len(set(classes)) < C:",
        ":",
        "test_weights.test_classes_that_cannot_be_told_apart_are_not_saved",
        (("classes", ("no", "no")),),
    ),
]
