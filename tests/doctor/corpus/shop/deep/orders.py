import threading

guard = threading.Lock()  # stale: guard | threading.Lock | instance
