import threading


class Meta(type):
    guard = threading.Lock()  # stale: Meta.guard | threading.Lock | instance


class Made(metaclass=Meta):
    pass
