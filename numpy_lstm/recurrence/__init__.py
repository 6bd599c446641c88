"""Code that the two fast recurrences share, apart from mathematics.

:mod:`~numpy_lstm.recurrence.checks` checks arguments, :mod:`~numpy_lstm.recurrence.packing`
arranges reviews of different lengths without padding, and
:mod:`~numpy_lstm.recurrence.parallel` runs threads.
"""
