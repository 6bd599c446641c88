"""Ask a trained model: ``python -m numpy_lstm.predict``."""
