"""Which memory of children this process has mapped."""

from __future__ import annotations

from pathlib import Path


def memory_maps() -> int:
    """How many mappings of children's memory there are."""
    return Path("/proc/self/maps").read_text().count("memfd:pools-prefork")
