"""What is set for a pool that only other pools know: refused, so that nothing which somebody asked for is ignored."""

from __future__ import annotations

from pools import config
from pools.discovery import declared_pool, installed
from pools.errors import ConfigError, PluginError, UnsupportedError
from pools.spec import PoolSpec


def refuse(pool: PoolSpec) -> None:
    """Raise for the first setting that this pool does not know.

    A variable of the environment that no pool knows is nobody's business: its name begins like ours by chance.

    Raises:
        UnsupportedError: Other pools know it.
        ConfigError: No pool does, and it stands in the project's table.
    """
    for name, setting in config.strangers(pool).items():
        refuse_option(pool, name, setting.source)
        if setting.source != name:
            raise ConfigError(f"{setting.source}: no such setting{config.close_settings(name, pool)}")


def refuse_option(pool: PoolSpec, name: str, source: str) -> None:
    """Raise ``UnsupportedError`` if other pools have an option of this name, or with this variable.

    Args:
        pool: The pool that has not.
        name: The name of the option, or of its environment variable.
        source: What set it, as messages name it.
    """
    owners = []
    for plugin in installed():
        try:
            options = declared_pool(plugin).options
        except PluginError:
            continue  # `pools list` has the reason
        if any(name in (option.name, config.variable(option)) for option in options):
            owners.append(plugin.name)
    if owners:
        verb = "has" if len(owners) == 1 else "have"
        raise UnsupportedError(f"{source}: pool {pool.name} has no such option ({' and '.join(owners)} {verb} it)")
