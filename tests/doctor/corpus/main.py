"""Imports every defect of the corpus, each on a line of its own, and patches afterwards: too late."""

import importlib
import sys

import base_classes
import bound_methods
import class_attributes
import closures
import conditional
import containers
import dataclass_fields
import decorated
import defaults
import enumeration
import executors
import from_imports
import instances
import metaclass
import nested
import partials
import shop
import slots
import started
import starred


def load(name):
    return importlib.import_module(name)


load("lazily")

if "gevent" in sys.argv:
    from gevent import monkey

    monkey.patch_all()
if "eventlet" in sys.argv:
    import eventlet

    eventlet.monkey_patch()

import late  # noqa: E402, F401
