"""What the two fast recurrences share.

:mod:`~numpy_lstm.recurrence.checks` refuses arguments that do not fit,
:mod:`~numpy_lstm.recurrence.packing` lays a batch of unequal lengths out without padding,
:mod:`~numpy_lstm.recurrence.parallel` uses several threads, and
:mod:`~numpy_lstm.recurrence.norms` takes the norm of a gradient, however large or small.
"""
