"""The experiments behind the report, one file each: ``python -m numpy_lstm.experiments NAME``.

Each module has four functions: ``conditions(quick)`` names the conditions, with their settings;
``run(settings, seed, quick)`` trains and evaluates one condition from one seed and returns numbers;
``summarize(trials)`` summarizes all seeds; ``draw(path, trials)`` makes the figure.
:mod:`numpy_lstm.experiments.runner` runs the trials, saves each of them, and resumes.
"""
