"""How long training takes and how much memory, beside PyTorch and Keras: ``python -m benchmarks``.

Read :mod:`benchmarks.processes` first: how times are taken. :mod:`benchmarks.tasks` says what is
computed, :mod:`benchmarks.contenders` holds who computes it, and :mod:`benchmarks.parts` what is
compared.
"""
