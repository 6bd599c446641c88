"""The clinic: show it your own RNN or LSTM, and it says which line is wrong.

:func:`examine` takes a step, forward and backward, :func:`examine_sequence` a whole
backpropagation through time; ``python -m numpy_lstm.clinic FILE.py`` finds both in a file.
docs/clinic.md shows how.
"""

from numpy_lstm.clinic.diagnosis import Diagnosis as Diagnosis
from numpy_lstm.clinic.examine import examine as examine
from numpy_lstm.clinic.examine import examine_sequence as examine_sequence
from numpy_lstm.clinic.layouts import PRESETS as PRESETS
from numpy_lstm.clinic.layouts import Layout as Layout
