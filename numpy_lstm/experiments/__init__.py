"""The experiments behind the report, one file each: ``python -m numpy_lstm.experiments NAME``.

A module of an experiment has four functions. ``conditions(quick)`` names what is compared, each
with its settings; ``run(settings, seed, quick)`` trains and scores one of them from one seed and
returns plain numbers; ``summarize(trials)`` condenses the numbers of all seeds; and
``draw(path, trials)`` makes the figure. :mod:`numpy_lstm.experiments.runner` does the rest: it
spreads the trials, keeps each as it comes, and goes on where it was stopped.
"""
