import threading


def make():
    global guard
    guard = threading.Lock()  # stale: guard | threading.Lock | instance


make()
