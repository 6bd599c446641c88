"""Turn the forget bias and see the gradient move: ``python -m numpy_lstm.explore``."""
