"""Is my gradient right? ``python -m numpy_lstm.gradcheck`` prints the error of every array.

:func:`check_gradient` checks anyone's function; :mod:`numpy_lstm.gradcheck.check` explains how.
"""

from numpy_lstm.gradcheck.check import TOLERANCE as TOLERANCE
from numpy_lstm.gradcheck.check import ArrayError as ArrayError
from numpy_lstm.gradcheck.check import LostInRounding as LostInRounding
from numpy_lstm.gradcheck.check import Method as Method
from numpy_lstm.gradcheck.check import WrongGradient as WrongGradient
from numpy_lstm.gradcheck.check import check_gradient as check_gradient
from numpy_lstm.gradcheck.check import gradient_errors as gradient_errors
