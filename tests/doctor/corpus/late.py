"""Imported after the patch; what it has, it has from a module that was not."""

from from_imports import sleep  # stale: sleep | time.sleep | module global
