"""The hooks: what plugins are asked, and the plugin manager that asks them.

A plugin's ``plugin.py`` imports only :mod:`pools.spec` and this module, before the standard library is patched; so
nothing is imported here beyond pluggy, which holds nothing that a patch replaces.

Every loaded plugin is asked for every pool: an implementation that is meant for one looks at ``pool.name``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pluggy

from pools.errors import PluginError
from pools.spec import PatchRequirement, PoolSpec

if TYPE_CHECKING:
    import click

    from pools.job import Job
    from pools.pool import BasePool

hookspec = pluggy.HookspecMarker("pools")
hookimpl = pluggy.HookimplMarker("pools")


@hookspec(firstresult=True)
def pools_pool() -> PoolSpec | None:
    """Declare the plugin's pool. Asked of each plugin of the group ``pools.plugins`` alone."""


@hookspec
def pools_patches(spec: PoolSpec) -> list[PatchRequirement] | None:
    """Give further patch requirements for the pool of ``spec``.

    They are applied after those of the spec itself, in the order of the plugins' names. Two plugins may give the same
    requirement, which is applied once.
    """


@hookspec
def pools_configure(pool: BasePool) -> None:
    """Act on a new pool before it starts; an exception from here keeps it from being opened."""


@hookspec
def pools_child_started(pool: BasePool) -> None:
    """Act inside a child process, before its first job. ``pool`` is the child's copy, for its name and options."""


@hookspec
def pools_child_exiting(pool: BasePool) -> None:
    """Act inside a child process, after its last job. Not called in a child that is killed."""


@hookspec(firstresult=True)
def pools_run_job(pool: BasePool, job: Job) -> Any:
    """Wrap the execution of one job, where and when its slot runs it.

    Only a wrapper (``@hookimpl(wrapper=True)``) may implement this: a generator with one ``yield``, which runs the job.
    The ``yield`` gives the job's value or raises its exception (``SoftTimeLimitExceeded`` and ``StopJob`` among them);
    what the wrapper returns or raises is what the job is taken to have returned or raised.
    """


@hookspec
def pools_commands(group: click.Group) -> None:
    """Add commands to the command line: ``group.add_lazy_command(name, "module:attribute", summary)``, preferably."""


def _new_manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager("pools")
    manager.add_hookspecs(sys.modules[__name__])
    return manager


#: The plugins that this process has loaded to use them: its extensions, and the plugins of the pools that it opened.
manager = _new_manager()


def verify(plugin: object) -> pluggy.PluginManager:
    """Check one plugin's hook implementations, apart from all other plugins.

    Args:
        plugin: A module, or whatever else has hook implementations as attributes.

    Returns:
        A manager of this plugin alone, by which it can be asked.

    Raises:
        PluginError: There is no hook of such a name, or it does not take such arguments, or not in this way.
    """
    alone = _new_manager()
    try:
        alone.register(plugin)
        alone.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(" ".join(str(error).split())) from error
    if any(not implementation.wrapper for implementation in alone.hook.pools_run_job.get_hookimpls()):
        raise PluginError("its pools_run_job is no wrapper: decorate it with @hookimpl(wrapper=True)")
    return alone


def register(plugin: object, label: str | None = None) -> None:
    """Make a verified plugin one of those that are asked from now on. A second time changes nothing.

    Args:
        plugin: What has the hook implementations.
        label: What messages call it.
    """
    if not manager.is_registered(plugin):
        manager.register(plugin, label)


def wraps_jobs() -> bool:
    """Return whether a loaded plugin wraps the execution of jobs; while none does, a pool need not call run_job."""
    return bool(manager.hook.pools_run_job.get_hookimpls())


def acting_in_children() -> set[str]:
    """Return the labels of the loaded plugins that have anything to do in child processes."""
    hook = manager.hook
    callers = (hook.pools_child_started, hook.pools_child_exiting, hook.pools_run_job)
    return {found.plugin_name for caller in callers for found in caller.get_hookimpls()}


def run_job(pool: BasePool, job: Job, call: Callable[[], Any]) -> Any:
    """Run a job inside every ``pools_run_job`` wrapper.

    Args:
        pool: The job's pool.
        job: The job.
        call: Runs the job's target with its arguments, and neither catches nor delivers anything.

    Returns:
        The job's value, as the outermost wrapper returned it.

    Raises:
        BaseException: Whatever came out of the job, or out of a wrapper.
    """
    return manager.hook.pools_run_job.call_extra([lambda: call()], {"pool": pool, "job": job})
