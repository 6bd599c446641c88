"""What the two fast recurrences share, apart from mathematics.

:mod:`~numpy_lstm.recurrence.checks` refuses what does not fit,
:mod:`~numpy_lstm.recurrence.packing` lays a batch of unequal lengths out without padding, and
:mod:`~numpy_lstm.recurrence.parallel` lets other threads help.
"""
