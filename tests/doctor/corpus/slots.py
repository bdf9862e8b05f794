import threading


class Packed:
    __slots__ = ("lock", "unset")

    def __init__(self):
        self.lock = threading.Lock()


packed = Packed()  # stale: packed.lock | threading.Lock | instance
