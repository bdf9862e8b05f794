import socket
import threading
import time


class Client:
    connect = socket.create_connection  # stale: Client.connect | socket.create_connection | class attribute
    wait = staticmethod(time.sleep)  # stale: Client.wait | time.sleep | class attribute
    lock = threading.Lock()  # stale: Client.lock | threading.Lock | instance

    class Inner:
        factory = threading.Lock  # stale: Client.Inner.factory | threading.Lock | class attribute
