import enum
import threading


class Shared(enum.Enum):
    GUARD = threading.Lock()  # stale: Shared.GUARD._value_ | threading.Lock | instance
