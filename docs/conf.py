"""How Sphinx builds the documentation: `make docs`."""

from __future__ import annotations

import tomllib
from pathlib import Path

project = "pools"
author = "The pools authors"
copyright = "The pools authors"
release = tomllib.loads((Path(__file__).parents[1] / "core" / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
myst_heading_anchors = 3
html_theme = "alabaster"
exclude_patterns = ["_build"]
