"""A small shop on Celery: the application and its tasks. Messages and results are files in ``SHOP_FOLDER``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from celery import Celery, chain, group
from celery.canvas import Signature
from celery.exceptions import SoftTimeLimitExceeded

from examples.shop import files

FOLDER = Path(os.environ.get("SHOP_FOLDER", "shop-data"))

app = Celery("shop", broker=f"{files.SCHEME}://", backend=f"file://{FOLDER / 'results'}")
app.conf.update(
    broker_transport_options=files.options(FOLDER),
    broker_connection_retry_on_startup=True,
    task_acks_late=True,
)


class BankIsAway(Exception):
    """The bank does not answer; it will in a moment."""


@app.task
def reserve(order: int) -> dict[str, Any]:
    """Take the goods from the shelf."""
    time.sleep(0.05)
    return {"order": order, "reserved": True}


@app.task(bind=True, autoretry_for=(BankIsAway,), max_retries=3, retry_backoff=False, default_retry_delay=0.2)
def charge(self: Any, order: dict[str, Any]) -> dict[str, Any]:
    """Have it paid. Of every third order the bank wants to hear twice."""
    if order["order"] % 3 == 0 and not self.request.retries:
        raise BankIsAway(f"order {order['order']}")
    return {**order, "paid": True, "attempts": self.request.retries + 1}


@app.task
def print_label(order: dict[str, Any]) -> str:
    """Print the label for the parcel."""
    return f"parcel {order['order']}"


@app.task
def send_invoice(order: dict[str, Any]) -> str:
    """Send the invoice, which says how often the bank was asked."""
    time.sleep(0.1)
    return f"invoice {order['order']}, {order['attempts']} attempt(s)"


@app.task
def remind(order: int) -> float:
    """Send a reminder; gives the time at which that was done."""
    return time.time()


@app.task(soft_time_limit=1.0)
def report() -> str:
    """Count everything that was ever sold: as far as that goes within the time."""
    counted = 0
    try:
        while True:
            counted += 1
            time.sleep(0.01)
    except SoftTimeLimitExceeded:
        return f"counted {'some' if counted else 'none'}"


@app.task(time_limit=1.0)
def import_catalogue() -> None:
    """Wait for a supplier who never answers."""
    time.sleep(60)


@app.task
def make_picture(path: str) -> None:
    """Call a library that crashes."""
    raise SystemExit(f"cannot read {path}")


def handle(order: int) -> Signature:
    """All that is done for an order."""
    return chain(reserve.s(order), charge.s(), group(print_label.s(), send_invoice.s()))
