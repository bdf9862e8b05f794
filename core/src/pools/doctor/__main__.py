"""The process of the doctor: ``python -m pools.doctor ORDER``."""

from __future__ import annotations

import importlib
import sys
import traceback

from pools import config, program
from pools.doctor.order import Order, load_order
from pools.doctor.session import Session
from pools.errors import PoolsError, UsageError


def main() -> int:
    """Examine what the order says; returns the exit code of the program."""
    order = load_order(sys.argv[1])
    config.choose_pool(order.pool)
    session = Session(order)
    session.begin()
    code: int | None = None
    try:
        code = _import_patched(order) if order.modules else program.run(order.program)
    except PoolsError as error:
        print(f"pools: {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        raise
    finally:
        if code is not None:
            session.end(code)
    return code


def _import_patched(order: Order) -> int:
    from pools import registry

    registry.patch(order.pool)
    for name in order.modules:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and f"{name}.".startswith(f"{error.name}."):
                raise UsageError(f"there is no module {name} to import") from None
            traceback.print_exc()
            return 1
        except Exception:
            traceback.print_exc()
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
