import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Config:
    lock: Any = field(default_factory=threading.Lock)  # stale: Config.lock(default_factory=) | threading.Lock | class attribute
    annotated: threading.local | None = None
