"""What figures depend on besides the code and the data."""

from __future__ import annotations

import platform

from numpy_lstm import __version__


def versions() -> dict[str, str]:
    """Versions of what the figures depend on."""
    from importlib.metadata import version

    packages = ("numpy", "scikit-learn", "scipy", "matplotlib", "threadpoolctl")
    return {
        "numpy_lstm": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "machine": f"{platform.system()} {platform.machine()}",
    }
