"""Who computes: one module each, imported only in that contender's own process.

A module has ``THREADS``, which says how it uses the two threads that it may have, and one or more
of these context managers, which give the call to be timed: ``recurrence(task)``,
``training_step(task)``.
"""
