"""What is kept, printed, drawn and exchanged."""

from typing import Any

from tests.faults import Fault

Row = tuple[str, str, str, str] | tuple[str, str, str, str, tuple[tuple[str, Any], ...]]


def _faults(file: str, tests: str, *rows: Row) -> list[Fault]:
    """Faults of one file, caught by the tests of one file: what, old, new, the test's name."""
    return [
        Fault(what, file, old, new, f"{tests}.test_{test}", *arguments)
        for what, old, new, test, *arguments in rows
    ]


METRICS = "metrics_are_those_of_the_best_epoch_on_the_test_reviews"
KEPT_STATE = "a_checkpoint_gives_back_every_number_in_its_place"
TEXTS_AND_LABELS = "train_test_and_unlabeled_reviews_are_told_apart"
LSTM = (("model", "lstm"),)
CONTENT = "the_contents_hash_depends_on_every_review_and_on_nothing_else"
CURVES = "the_curves_are_the_validation_scores_of_each_model_in_percent"
GRADIENTS = "gradients_are_drawn_before_training_and_at_each_models_best_epoch"
RANGE = "the_range_is_that_of_runs_that_differ_in_the_seed_alone"
RANGES = "the_committed_ranges_are_the_smallest_and_the_largest_of_all_seeds"
TWO_CLASSES = "of_two_classes_all_is_said_of_the_second"
NO = (("logit", -2.0), ("label", "no"))
MORE_CLASSES = "of_more_classes_all_is_said_of_the_likeliest"
TOWARDS = "words_stand_under_the_class_that_they_speak_for"
PARSED = "every_review_has_its_text_its_label_and_its_film"
CACHED = "a_cached_data_set_is_the_one_that_was_parsed_and_not_another"

FAULTS: list[Fault] = [
    # --- a run -----------------------------------------------------------------------------------
    *_faults(
        "train/checkpoint.py",
        "train.test_checkpoint",
        (
            "after a resume the best weights are the current ones",
            'best_parameters=_unprefixed("best", arrays)',
            'best_parameters=_unprefixed("parameters", arrays)',
            KEPT_STATE,
            LSTM,
        ),
        (
            "the current weights are kept as the best ones",
            '_prefixed("best", state.best_parameters)',
            '_prefixed("best", state.parameters)',
            KEPT_STATE,
            LSTM,
        ),
        (
            "norms are stored in the order 0, 1, 10, 2",
            'return {f"{k:04}": array for k, array in enumerate(arrays)}\n\n\n'
            "def _unnumbered(prefix: str, arrays: dict[str, Array]) -> list[Array]:\n"
            "    found = _unprefixed(prefix, arrays)\n"
            '    return [found[f"{k:04}"] for k in range(len(found))]',
            'return {f"{k}": array for k, array in enumerate(arrays)}\n\n\n'
            "def _unnumbered(prefix: str, arrays: dict[str, Array]) -> list[Array]:\n"
            "    return [*_unprefixed(prefix, arrays).values()]",
            KEPT_STATE,
            LSTM,
        ),
        (
            "the norms in h and c are exchanged",
            "GradientNorms(h[k], c[k] if c else None, x[k])",
            "GradientNorms(c[k] if c else h[k], h[k] if c else None, x[k])",
            KEPT_STATE,
            LSTM,
        ),
        (
            "Adam's t starts anew",
            '            state["t"],\n',
            "            0,\n",
            KEPT_STATE,
            LSTM,
        ),
        (
            "Adam's m is lost",
            '_unprefixed("m", arrays)',
            "{}",
            KEPT_STATE,
            LSTM,
        ),
        (
            "Adam's v is its m",
            '_prefixed("v", optimizer.v)',
            '_prefixed("v", optimizer.m)',
            KEPT_STATE,
            LSTM,
        ),
        (
            "the seconds before a stop are lost",
            "**{name: state[name] for name in _NUMBERS},\n        )",
            "**{name: state[name] for name in _NUMBERS if name != 'seconds'},\n        )",
            KEPT_STATE,
            LSTM,
        ),
        (
            "loss and accuracy of the history are exchanged",
            "[Epoch(*line) for line in state",
            "[Epoch(*line[:2], line[3], line[2], *line[4:]) for line in state",
            KEPT_STATE,
            LSTM,
        ),
        (
            "a checkpoint does not say of which run it is",
            '"run": run,',
            '"run": None,',
            "a_checkpoint_of_another_run_is_told_apart",
        ),
        (
            "another run's checkpoint is taken",
            "if stored.get(name, value) != value:",
            "if stored.get(name, value) is None:",
            "a_checkpoint_of_another_run_is_told_apart",
        ),
        (
            "Adam's t may be that of another step",
            "if optimizer.t != state.epoch * steps + state.step:",
            "if optimizer.t < state.epoch * steps:",
            "a_state_with_one_wrong_number_does_not_go_on",
            (("name", "step"), ("value", 2), ("words", "`t` must be 6")),
        ),
    ),
    *_faults(
        "train/job.py",
        "train.test_results",
        (
            "the test scores are those of the last epoch",
            "evaluate(state.best_parameters, prepared.splits.test, settings)",
            "evaluate(state.parameters, prepared.splits.test, settings)",
            METRICS,
        ),
        (
            "the test scores are those on the validation reviews",
            "evaluate(state.best_parameters, prepared.splits.test, settings)",
            "evaluate(state.best_parameters, prepared.splits.validation, settings)",
            METRICS,
        ),
        (
            "the validation accuracy is called that of the test",
            '"test_accuracy": test.accuracy',
            '"test_accuracy": best.val_accuracy',
            METRICS,
        ),
        (
            "the validation accuracy is the last epoch's",
            "best = state.history[state.best_epoch - 1]",
            "best = state.history[-1]",
            METRICS,
        ),
        (
            "the best epoch is counted from 0",
            '"best_epoch": state.best_epoch',
            '"best_epoch": state.best_epoch - 1',
            METRICS,
        ),
        (
            "arrays are counted instead of parameters",
            '"parameters": sum(array.size for',
            '"parameters": sum(len(array) for',
            METRICS,
        ),
        (
            "the decay is the last epoch's",
            '"gradient_decay_per_step": _decay(state, state.best_epoch)',
            '"gradient_decay_per_step": _decay(state, -1)',
            METRICS,
        ),
        (
            "the decay is that of the hidden states",
            "decay_per_step(state.norms[epoch].x)",
            "decay_per_step(state.norms[epoch].h)",
            METRICS,
        ),
        (
            "the LSTM's gradient far back is that in h",
            "h if c is None else c, 20",
            "h, 20",
            METRICS,
        ),
        (
            "the last epoch's weights are written as the best ones",
            "return Weights(state.best_parameters, settings",
            "return Weights(state.parameters, settings",
            "each_weights_file_has_its_models_best_weights_and_all_they_need",
        ),
        (
            "weights are saved without their settings",
            "return Weights(state.best_parameters, settings, prepared",
            "return Weights(state.best_parameters, Settings(hidden_size=settings.hidden_size), "
            "prepared",
            "each_weights_file_has_its_models_best_weights_and_all_they_need",
        ),
        (
            "the lengths of the probes are in words",
            "-(-probes.lengths // settings.bag_size)",
            "probes.lengths",
            "the_files_hold_what_the_run_returns_and_prints",
        ),
        (
            "no checkpoint is written at the end of an epoch",
            "        save(state)\n        display.epoch(state)",
            "        display.epoch(state)",
            "a_checkpoint_is_written_after_every_epoch_and_then_only_as_often_as_said",
        ),
        (
            "after a first checkpoint one is written at every step",
            "        saved = time.monotonic()\n\n    def after_step",
            "\n    def after_step",
            "a_checkpoint_is_written_after_every_epoch_and_then_only_as_often_as_said",
        ),
        (
            "a resumed run starts anew",
            "        state = _loaded(path, state, settings, which, steps)",
            "        _loaded(path, state, settings, which, steps)",
            "a_stop_saves_and_the_next_call_goes_on_from_there",
        ),
        (
            "a request to stop is not heard",
            "return not display.stop_requested",
            "return True",
            "a_request_to_stop_ends_the_training_after_the_step_and_is_saved",
        ),
        (
            "--overwrite leaves the old checkpoint, and the run goes on from it",
            "        remove_results(folder)\n",
            "",
            "a_new_run_notes_what_it_is_and_removes_what_was_there",
        ),
        (
            "a resumed run loses its checkpoint",
            "    if not started:\n        remove_results(folder)",
            "    remove_results(folder)\n    if not started:",
            "a_resumed_run_is_the_run_that_was_started_and_removes_nothing",
        ),
        (
            "a resumed run takes today's defaults",
            'tuple(started["models"]), started["settings"]',
            'tuple(started["models"]), options.settings',
            "a_resumed_run_is_the_run_that_was_started_and_removes_nothing",
        ),
        (
            "a resumed run goes on with other reviews",
            'if started and started["content"] != config["content"]:',
            'if started and started["content"] == "":',
            "a_resumed_run_on_other_reviews_is_refused",
        ),
        (
            "built-in reviews are always those of seed 0",
            "corpus = load_corpus(options.dataset, options.data, seed)",
            "corpus = load_corpus(options.dataset, options.data, 0)",
            "a_new_run_notes_what_it_is_and_removes_what_was_there",
        ),
        (
            "built-in reviews in place of IMDB are always those of seed 0",
            "print(error)\n        return synthetic_corpus(np.random.default_rng(seed))",
            "print(error)\n        return synthetic_corpus(np.random.default_rng(0))",
            "the_first_line_says_which_reviews_are_read",
        ),
        (
            "a resumed run passes over the reviews that are named",
            "corpus = _load_again(started, options.data, folder)",
            "corpus = _load_again(started, None, folder)",
            "a_resumed_run_is_the_run_that_was_started_and_removes_nothing",
        ),
        (
            "the probes are reviews of the test",
            "probe_batch(prepared.splits.validation, settings.probes)",
            "probe_batch(prepared.splits.test, settings.probes)",
            "the_files_hold_what_the_run_returns_and_prints",
        ),
        (
            "built-in reviews are called IMDB",
            '"Data set: BUILT-IN REVIEWS (synthetic), because',
            '"Data set: IMDB, because',
            "the_first_line_says_which_reviews_are_read",
        ),
    ),
    *_faults(
        "train/folder.py",
        "train.test_results",
        (
            "the norms in h and c are exchanged in the file",
            'arrays[f"{model}_{name}"] = np.stack(norms)',
            'arrays[f"{model}_{name}"] = np.stack(norms)\n'
            '        if model == "lstm":\n'
            '            arrays["lstm_h"], arrays["lstm_c"] = arrays["lstm_c"], arrays["lstm_h"]',
            "norms_are_kept_by_model_state_epoch_distance_and_review",
        ),
        (
            "the norms before training are left out",
            "for recorded in state.norms]",
            "for recorded in state.norms[1:]]",
            "norms_are_kept_by_model_state_epoch_distance_and_review",
        ),
        (
            "the best epoch in the file is counted from 0",
            "np.array(state.best_epoch)",
            "np.array(state.best_epoch - 1)",
            "norms_are_kept_by_model_state_epoch_distance_and_review",
        ),
        (
            "columns of the history are exchanged",
            'lines: list[tuple[object, ...]] = [("model", *Epoch._fields)]',
            'lines: list[tuple[object, ...]] = [("model", "epoch", "val_loss", "train_loss", '
            "*Epoch._fields[3:])]",
            "history_has_every_column_under_its_name",
        ),
        (
            "the history has Windows line ends",
            'csv.writer(text, lineterminator="\\n")',
            "csv.writer(text)",
            "history_has_every_column_under_its_name",
        ),
    ),
    *_faults(
        "train/folder.py",
        "train.test_run_folder",
        (
            "an old checkpoint of the LSTM is no result, and stays",
            '    "checkpoint-lstm.npz",\n',
            "",
            "results_are_all_files_that_a_run_writes",
        ),
        (
            "a run that starts in the same second shares the folder",
            "exist_ok=out is not None",
            "exist_ok=True",
            "a_run_without_a_folder_is_named_by_its_date_and_time",
        ),
        (
            "what a killed run left unfinished stays",
            "remove_unfinished(folder, RESULTS)",
            "remove_unfinished(folder, ())",
            "a_run_locks_its_folder_and_leaves_it_free",
        ),
        (
            "a run takes the lock of a folder with results away",
            "is_empty = {path.name for path in folder.iterdir()} <= {LOCK}",
            "is_empty = True",
            "any_result_of_another_run_keeps_its_folder",
            (("name", "metrics.json"),),
        ),
        (
            "--overwrite removes the user's own files",
            "    for name in _results(folder):\n        (folder / name).unlink()",
            "    for path in folder.iterdir():\n        path.unlink()",
            "only_results_are_removed_and_all_of_them",
        ),
        (
            "a folder that another run uses is taken",
            "if locked is False:",
            "if locked is None and not folder:",
            "a_run_locks_its_folder_and_leaves_it_free",
        ),
    ),
    *_faults(
        "train/__main__.py",
        "train.test_run_folder",
        (
            "settings that are typed are passed over",
            "for name in HELP if name in arguments}",
            'for name in HELP if name in arguments and name != "seed"}',
            "the_job_is_asked_for_what_is_typed",
            (
                ("argv", ["--seed", "3"]),
                ("options", ("auto", None, None, {"seed": 3})),
            ),
        ),
        (
            "--model lstm trains both",
            'models={None: None, "both": MODELS}.get(arguments.model, (arguments.model,)),',
            "models=MODELS if arguments.model else None,",
            "the_job_is_asked_for_what_is_typed",
            (("argv", ["--model", "lstm"]), ("options", ("auto", None, ("lstm",), {}))),
        ),
        (
            "the command that goes on forgets the reviews",
            "    if data:\n        words +=",
            "    if not data:\n        words +=",
            "a_stopped_run_ends_with_130_and_the_command_that_goes_on",
        ),
    ),
    *_faults(
        "train/options.py",
        "train.test_run_folder",
        (
            "an option has an underscore",
            '"--" + setting.replace("_", "-")',
            '"--" + setting',
            "every_setting_has_its_option_its_type_and_its_help",
        ),
    ),
    *_faults(
        "train/progress_bar.py",
        "train.test_results",
        (
            "the training loss is printed as that of the validation",
            '" {line.val_loss:.4f}, accuracy',
            '" {line.train_loss:.4f}, accuracy',
            "an_epochs_line_has_the_validation_scores_of_that_epoch",
        ),
        (
            "an epoch's seconds are those of the whole run",
            "{line.seconds:.0f} s",
            "{state.seconds:.0f} s",
            "an_epochs_line_has_the_validation_scores_of_that_epoch",
        ),
        (
            "the accuracy is printed as a fraction",
            "100 * line.val_accuracy",
            "line.val_accuracy",
            "an_epochs_line_has_the_validation_scores_of_that_epoch",
        ),
        (
            "a resumed bar starts at 0",
            "self._bar.update(steps * state.epoch + state.step - 1)",
            "self._bar.update(state.step - 1)",
            "the_bar_stands_where_the_run_stands",
        ),
        (
            "a signal has our handler after the run",
            "signal.signal(number, handler)",
            "signal.signal(number, request)",
            "signals_have_their_handlers_back_after_a_run",
        ),
        (
            "a signal after the training is a request that nobody hears",
            "            self._is_training = False",
            "            self._is_training = True",
            "the_first_signal_in_training_is_a_request_and_any_other_an_interrupt",
        ),
    ),
    *_faults(
        "train/table.py",
        "train.test_shown",
        (
            "validation accuracy is printed as that of the test",
            "100 * scores['test_accuracy']",
            "100 * scores['val_accuracy']",
            "the_table_has_each_score_in_its_row_and_column",
        ),
        (
            "the gradient in the table is that before training",
            'scores.get("gradient_20_steps_back"), scores',
            'scores.get("gradient_20_steps_back_at_start"), scores',
            "the_table_has_each_score_in_its_row_and_column",
        ),
        (
            "the cell's parameters are printed as all",
            "scores['parameters']:12,",
            "scores.get('cell_parameters', 129):12,",
            "the_table_has_each_score_in_its_row_and_column",
        ),
    ),
    *_faults(
        "train/committed.py",
        "train.test_shown",
        (
            "the range is shown beside another data set's run",
            'return {"dataset": metrics["dataset"], "settings": settings}',
            'return {"dataset": "imdb", "settings": settings}',
            RANGES,
        ),
        (
            "the range is shown beside runs on fewer reviews",
            'kind["sizes"] == metrics["sizes"] and ',
            "",
            RANGE,
        ),
        (
            "the range is shown only beside one seed's run",
            '    del settings["seed"]\n',
            "",
            RANGE,
        ),
        (
            "the largest of a range is the last seed's",
            "[min(values), max(values)]",
            "[min(values), values[-1]]",
            RANGES,
        ),
        (
            "a range is that of both models",
            "for name, value in runs if name == model]",
            "for name, value in runs]",
            RANGES,
        ),
        (
            "the main job's own run is left out of the range",
            "[*trials, *_accuracies(main)]",
            "trials",
            RANGES,
        ),
        (
            "the main job is one seed more",
            "len(trials) // len(MODEL_NAMES)",
            "len(trials) // len(MODEL_NAMES) + 1",
            RANGES,
        ),
    ),
    *_faults(
        "train/figures.py",
        "train.test_shown",
        (
            "the training loss is drawn as that of the validation",
            "[line.val_loss for line in history]",
            "[line.train_loss for line in history]",
            CURVES,
        ),
        (
            "accuracies are drawn as fractions",
            "[100 * line.val_accuracy",
            "[line.val_accuracy",
            CURVES,
        ),
        (
            "the models exchange their names",
            '"label": MODEL_NAMES[model]',
            '"label": MODEL_NAMES["rnn" if model == "lstm" else "lstm"]',
            CURVES,
        ),
        (
            "loss and accuracy exchange their labels",
            'loss.set_ylabel("validation loss (nats per review)")',
            'loss.set_ylabel("validation accuracy (%)")',
            CURVES,
        ),
        (
            "both models are drawn alike",
            '"linestyle": DASHES[model],\n',
            '"linestyle": DASHES["rnn"],\n',
            CURVES,
        ),
        (
            "the best epoch's gradients are the last one's",
            "state.norms[0 if row == 0 else state.best_epoch]",
            "state.norms[0 if row == 0 else -1]",
            GRADIENTS,
        ),
        (
            "the rows of before and after are exchanged",
            "state.norms[0 if row == 0 else state.best_epoch]",
            "state.norms[0 if row == 1 else state.best_epoch]",
            GRADIENTS,
        ),
        (
            "c is drawn as h",
            "_band(axes, norms.h, model",
            "_band(axes, norms.h if norms.c is None else norms.c, model",
            GRADIENTS,
        ),
        (
            "the decay beside the inputs is that of the states",
            "decay_per_step(norms.x)",
            "decay_per_step(norms.h)",
            GRADIENTS,
        ),
        (
            "the panels have heights of their own",
            "            panel.sharey(axes[0])\n",
            "            pass\n",
            GRADIENTS,
        ),
        (
            "the figures exchange their files",
            '"gradient_norms.png": lambda path: gradient_norms(path, runs, dataset, bag_size)',
            '"gradient_norms.png": lambda path: comparison(path, histories, dataset)',
            "both_figures_are_drawn_under_their_names_and_one_that_fails_is_told",
        ),
    ),
    # --- predict ---------------------------------------------------------------------------------
    *_faults(
        "predict/__main__.py",
        "predict.test_results",
        (
            "the probability is that of the label, under the second class's name",
            '"probability": float(probabilities[n, label]) if',
            '"probability": float(probabilities[n].max()) if',
            TWO_CLASSES,
            NO,
        ),
        (
            "the probability is that of the other class",
            '"probability": float(probabilities[n, label]) if',
            '"probability": float(probabilities[n, 1 - label]) if',
            TWO_CLASSES,
            NO,
        ),
        (
            "the label is that of the other class",
            "weights.classes[labels[n]] if",
            "weights.classes[1 - labels[n]] if",
            TWO_CLASSES,
            NO,
        ),
        (
            "of many classes the second is explained",
            "label = 1 if binary else int(labels[n])",
            "label = 1",
            MORE_CLASSES,
        ),
        (
            "an unknown word is counted as known",
            '"words_known": int(known[n])',
            '"words_known": len(tokens)',
            TWO_CLASSES,
            NO,
        ),
        (
            "the residual leaves the baseline out",
            "logit - baseline - float(contributions.sum())",
            "logit - float(contributions.sum())",
            TWO_CLASSES,
            NO,
        ),
        (
            "known words are called unknown",
            "np.flatnonzero(tokens == UNKNOWN)",
            "np.flatnonzero(tokens != UNKNOWN)",
            TWO_CLASSES,
            NO,
        ),
        (
            "the newest run is the last by name",
            "newest = max(found, key=lambda path: path.stat().st_mtime_ns).parent",
            "newest = max(found).parent",
            "the_newest_run_is_taken_and_its_lstm",
        ),
    ),
    *_faults(
        "predict/formatting.py",
        "predict.test_results",
        (
            "towards the class stand the words that speak against it",
            "((towards, 1), (against, -1))",
            "((towards, -1), (against, 1))",
            TOWARDS,
        ),
        (
            "the weakest words are listed first",
            "key=lambda pair: -sign * pair[1]",
            "key=lambda pair: sign * pair[1]",
            "only_the_eight_strongest_words_are_listed_the_strongest_first",
        ),
        (
            "a negative residual is not shown",
            "if abs(residual) >= LEFT:\n        lines",
            "if residual >= LEFT:\n        lines",
            "what_is_unexplained_is_said_from_five_hundredths_on",
            (("residual", -0.06), ("shown", True)),
        ),
        (
            "the probability is said to be the label's",
            "P({result['probability_of']})",
            "P({result['label']})",
            "a_line_has_the_label_and_the_probability_of_the_class_it_names",
        ),
        (
            "words that lower the probability are blue",
            "TERMINAL[pull > 0]",
            "TERMINAL[pull < 0]",
            "in_color_blue_words_raise_the_probability_and_strong_ones_are_bold",
        ),
        (
            "the page's colors are exchanged",
            "if pull > 0 else (238, 119, 51)",
            "if pull < 0 else (238, 119, 51)",
            "on_a_page_blue_words_raise_the_probability_and_unknown_ones_have_dots",
        ),
    ),
    *_faults(
        "predict/written.py",
        "predict.test_results",
        (
            "the first words are shown instead of the last",
            "for word in words[-most:])",
            "for word in words[:most])",
            "words_are_the_last_ones_as_they_were_written",
            (("text", "Bad-bad"), ("most", 1), ("words", ["bad"])),
        ),
    ),
    *_faults(
        "predict/reading.py",
        "predict.test_reading",
        (
            "an empty last line is a review",
            '.removesuffix("\\n").split("\\n")',
            '.split("\\n")',
            "every_line_is_a_review_whatever_ends_it",
            (("contents", b"one\ntwo\n"), ("reviews", ["one", "two"])),
        ),
        (
            "Windows line ends stay in the text",
            'text.replace("\\r\\n", "\\n").replace("\\r", "\\n")',
            'text.replace("\\r", "")',
            "every_line_is_a_review_whatever_ends_it",
            (("contents", b"one\rtwo\r"), ("reviews", ["one", "two"])),
        ),
        (
            "the first column is taken",
            "    k = is_it.index(True)",
            "    k = 0",
            "a_table_gives_the_column_of_reviews",
            (
                ("name", "r.csv"),
                ("contents", b"film,text\nx,first\ny,second\n"),
                ("reviews", ["first", "second"]),
            ),
        ),
    ),
    # --- files -----------------------------------------------------------------------------------
    *_faults(
        "files.py",
        "test_files",
        (
            "a power cut may leave an empty file: no fsync",
            "            os.fsync(file.fileno())\n",
            "",
            "a_file_is_on_the_disk_before_it_takes_its_name",
        ),
        (
            "a file is written in its place",
            'unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")',
            "unfinished = path",
            "a_write_that_fails_leaves_the_old_file_and_no_other",
        ),
        (
            "an error leaves half a file behind",
            "        unfinished.unlink(missing_ok=True)",
            "        pass",
            "a_write_that_fails_leaves_the_old_file_and_no_other",
        ),
        (
            "the user's files are taken for unfinished ones",
            "if left.fullmatch(path.name):",
            "if left.search(path.name):",
            "only_unfinished_files_of_these_names_are_removed",
        ),
    ),
    *_faults(
        "weights.py",
        "test_weights",
        (
            "weights are saved without their settings",
            '"settings": dataclasses.asdict(weights.settings)',
            '"settings": {"hidden_size": weights.settings.hidden_size,'
            ' "readout": weights.settings.readout}',
            "every_setting_and_word_is_kept_and_nothing_is_a_pickle",
        ),
        (
            "words are saved in another order",
            "json.dumps(weights.vocabulary.words[2:])",
            "json.dumps(sorted(weights.vocabulary.words[2:]))",
            "every_setting_and_word_is_kept_and_nothing_is_a_pickle",
        ),
        (
            "classes come back in the order of the alphabet",
            "Vocabulary(words), tuple(classes), dataset)",
            "Vocabulary(words), tuple(sorted(classes)), dataset)",
            "classes_keep_their_order_and_their_kinds",
            (("classes", tuple("bacd")),),
        ),
        (
            "all classes are called negative and positive",
            '"classes": weights.classes',
            '"classes": SENTIMENT',
            "classes_keep_their_order_and_their_kinds",
            (("classes", ("no", "yes")),),
        ),
        (
            "classes of a file of format 1 are exchanged",
            'SENTIMENT = ("negative", "positive")',
            'SENTIMENT = ("positive", "negative")',
            "a_file_of_format_one_has_the_names_of_its_kind",
            (("dataset", "imdb"), ("classes", ("negative", "positive"))),
        ),
    ),
    *_faults(
        "convert.py",
        "test_convert",
        (
            "PyTorch's second bias is dropped",
            "b = sum(biases, np.zeros(rows, W_h.dtype))",
            "b = sum(biases[:1], np.zeros(rows, W_h.dtype))",
            "both_biases_of_pytorch_count",
        ),
        (
            "Keras's recurrent kernel is not transposed, there and back",
            "return [W_x.T.copy(), W_h.T.copy(), b.copy()]",
            "return [W_x.T.copy(), W_h.reshape(W_h.shape[::-1]).copy(), b.copy()]",
            "every_number_has_its_place_in_the_other_layout",
            (("cell", "rnn"),),
        ),
    ),
    *_faults(
        "environment.py",
        "test_files",
        (
            "the threads of another library are noted",
            'if each["user_api"] == "blas"',
            'if each["user_api"] != "blas"',
            "versions_are_those_of_what_is_installed",
        ),
    ),
    # --- the reviews of IMDB ---------------------------------------------------------------------
    *_faults(
        "data/imdb.py",
        "data.test_archive",
        (
            "the labels of train/neg and train/pos are exchanged",
            '"train/pos": 1, "train/neg": 0, "test/pos"',
            '"train/pos": 0, "train/neg": 1, "test/pos"',
            PARSED,
        ),
        (
            "reviews of ten stars are refused",
            "_RATINGS = {1: range(7, 11)",
            "_RATINGS = {1: range(7, 10)",
            "a_rating_must_be_one_that_its_folder_allows",
            (("folder", "test/pos"), ("allowed", range(7, 11))),
        ),
        (
            "the film is that of the line before",
            "[films[folder][number] for folder, number in places]",
            "[films[folder][number - 1] for folder, number in places]",
            PARSED,
        ),
        (
            "films are those of the other half",
            'films[f"{split}/{kind}"] = [',
            'films[f"{split}/{({"pos": "neg", "neg": "pos"}).get(kind, kind)}"] = ['.replace(
                '"pos": "neg", "neg": "pos"', "'pos': 'neg', 'neg': 'pos'"
            ),
            PARSED,
        ),
        (
            "reviews keep the archive's order",
            "return words, select(reviews, order)",
            "return words, select(reviews, range(len(order)))",
            PARSED,
        ),
        (
            "test and train are exchanged",
            "test, train, unlabeled = (select",
            "train, test, unlabeled = (select",
            TEXTS_AND_LABELS,
        ),
        (
            "the split of test and train is that of the negative ones",
            'n_test = counts["test/neg"] + counts["test/pos"]',
            'n_test = counts["train/neg"] + counts["test/pos"]',
            TEXTS_AND_LABELS,
        ),
        (
            "the hash is that of the texts alone",
            'lines = [f"{places[k]} {film_of[k]} {hashes[k]}\\n" for k in order]',
            'lines = [f"{places[k]} {hashes[k]}\\n" for k in order]',
            CONTENT,
        ),
        (
            "cached reviews of other labels are taken",
            "if labels not in (wanted, [label for label in wanted if label >= 0]):",
            "if len(labels) != len(wanted):",
            CACHED,
        ),
        (
            "the oldest parsed reviews are kept",
            "sorted(found, key=os.path.getmtime)[:-_KEPT]",
            "sorted(found, key=os.path.getmtime)[_KEPT:]",
            "the_newest_parsed_data_sets_are_kept",
        ),
    ),
    *_faults(
        "data/archive.py",
        "data.test_archive",
        (
            "a member of exactly 512 bytes swallows the next",
            "stream.read(size + -size % _BLOCK)[:size]",
            "stream.read(size + _BLOCK - size % _BLOCK)[:size]",
            "a_member_of_any_size_is_read_whole_and_so_is_the_next",
            (("size", 512), ("suffix", "tar")),
        ),
        (
            "a hash is that of the first block",
            "while block := file.read(2**20):",
            "if block := file.read(2**20):",
            "a_hash_is_that_of_all_bytes_of_a_file",
        ),
        (
            "a folder whose files have changed has the same fingerprint",
            "repr((name, status.st_size, status.st_mtime_ns))",
            "repr((name, status.st_size))",
            "a_folders_fingerprint_changes_with_name_size_and_time_of_what_is_read",
        ),
        (
            "the checksum at an archive's end is not compared",
            "        while stream.read(2**20):  # gzip compares its checksum at the end\n"
            "            pass\n",
            "",
            "what_comes_after_the_first_gigabytes_or_is_cut_off_is_refused",
        ),
    ),
    *_faults(
        "data/download.py",
        "data.test_archive",
        (
            "a file of another hash is taken",
            "if got != wanted:",
            "if not got:",
            "a_file_of_another_hash_is_removed_and_a_complete_one_is_not_loaded_again",
        ),
        (
            "a whole answer is appended to what is there",
            'open(part, "ab" if goes_on else "wb")',
            'open(part, "ab")',
            "bytes_are_appended_only_if_the_server_goes_on",
            (("size", 3), ("status", 200), ("body", b"whole"), ("expected", b"whole")),
        ),
    ),
    # --- the table of gradient checks ------------------------------------------------------------
    *_faults(
        "gradcheck/__main__.py",
        "gradcheck.test_rows",
        (
            "the worst of all is the best",
            "worst = max(result.error for result",
            "worst = min(result.error for result",
            "a_wrong_gradient_ends_with_status_1_and_is_named",
        ),
        (
            "a wrong gradient is marked only if both methods say so",
            "failed = [result for result in array if not result.error <= TOLERANCE[result.method]]",
            "failed = [r for r in array if array[1].error > TOLERANCE[r.method]]",
            "a_gradient_wrong_for_one_method_alone_is_wrong",
        ),
        (
            "wrong gradients end with status 0",
            "return 1 if wrong else 0",
            "return 0",
            "a_wrong_gradient_ends_with_status_1_and_is_named",
        ),
        (
            "the methods' errors stand under each other's names",
            'errors = "".join(f"{result.error:15.1e}" for result in array)',
            'errors = "".join(f"{result.error:15.1e}" for result in array[:1] * 2)',
            "a_right_gradient_ends_with_status_0_and_the_worst_of_all",
        ),
    ),
]
