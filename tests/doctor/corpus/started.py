import threading

stop = threading.Event()  # stale: stop | threading.Event | instance
worker = threading.Thread(target=stop.wait, daemon=True)  # stale: worker | threading.Thread | thread
worker.start()
