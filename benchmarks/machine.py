"""Where the figures were measured."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core import _multiarray_umath as umath
from threadpoolctl import threadpool_info

from numpy_lstm.environment import versions


def machine() -> dict[str, Any]:
    """Processor, cores, versions, and how busy the machine was before the benchmark began."""
    return {
        "cpu": _cpu(),
        "kind": "AVX-512" if _avx512() else "AVX2" if {"AVX2", "X86_V3"} & {*_simd()} else "other",
        "libraries": libraries(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "load_average": os.getloadavg()[0],  # processes that ran or waited in the last minute
        "versions": {**versions(), **_installed("torch", "keras", "tensorflow", "tensorflow-cpu")},
    }


def libraries() -> list[str]:
    """What computes in this process: NumPy with its vector instructions, BLAS with its kernel."""
    found = [
        " ".join(
            str(each[key]) for key in ("internal_api", "version", "architecture") if each.get(key)
        )
        + f", threads: {each['num_threads']}"
        for each in threadpool_info()
    ]
    return [f"numpy {np.__version__} {' '.join(_simd())}", *sorted(found)]


def without_avx512() -> dict[str, str]:
    """The variables that keep NumPy, OpenBLAS and PyTorch to AVX2; none where that is all."""
    if not _avx512():
        return {}
    return {
        "NPY_DISABLE_CPU_FEATURES": " ".join(_avx512()),
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    }


def _simd() -> list[str]:
    names = [*umath.__cpu_baseline__, *umath.__cpu_dispatch__]
    return [name for name in names if umath.__cpu_features__[name]]


def _avx512() -> list[str]:
    return [name for name in _simd() if name == "X86_V4" or "AVX512" in name]


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _installed(*packages: str) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
