"""Stands in for the standard ``site`` in a process of the doctor, and lets it go ahead once imports are recorded.

The interpreter imports ``site`` before anything of the user's runs; what ``.pth`` files, ``sitecustomize`` and
``usercustomize`` import comes after it. This folder is on the path for that import only.
"""

import os
import sys

from pools_import_record import ImportRecord

sys.path.remove(os.path.dirname(__file__))  # noqa: PTH120 - pathlib would be recorded as imported by this
if "POOLS_DOCTOR_PYTHONPATH" in os.environ:
    os.environ["PYTHONPATH"] = os.environ.pop("POOLS_DOCTOR_PYTHONPATH")
else:
    del os.environ["PYTHONPATH"]
del sys.modules["site"]
sys.meta_path.insert(0, ImportRecord())

import site  # noqa: E402, F401 - the standard one
