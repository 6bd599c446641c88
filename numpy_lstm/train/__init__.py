"""The training job: ``python -m numpy_lstm.train``."""
