"""Right implementations of both cells, each in another style, as learners write them.

One file a preset of the clinic; the files that begin with ``own_`` come with an adapter. The number
of an equation behind a line says what that line computes, ``(loop)`` what stands around the steps:
:mod:`tests.clinic.faults` plants faults there.
"""
