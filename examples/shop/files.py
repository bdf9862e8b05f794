"""The broker of those who have none: messages are files in a folder.

Kombu's transport for that makes a file and then writes it, and its readers take every file that they see: on a machine
with something to do they take one that is empty, and the message is lost. Here a file is there when it is written.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

#: The scheme of the URL.
SCHEME = "files"


class Channel(filesystem.Channel):  # type: ignore[misc]  # kombu has no types
    """A channel that puts messages into the folder as wholes."""

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:
        name = f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        # No queue is called so that its reader would take this.
        draft = folder / f".{name}"
        draft.write_text(dumps(payload))
        draft.rename(folder / name)


class Transport(filesystem.Transport):  # type: ignore[misc]
    """Kombu's transport, with our channels."""

    Channel = Channel


def options(folder: Path) -> dict[str, Any]:
    """The ``broker_transport_options`` for messages in a folder; makes what is to be in it."""
    messages, control = folder / "messages", folder / "control"
    for made in (messages, control):
        made.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
        "polling_interval": 0.05,
    }


TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
