import socket
import time


def fetch(url, connect=socket.create_connection):  # stale: fetch(connect=) | socket.create_connection | function default
    return connect


def poll(*, pause=time.sleep):  # stale: poll(pause=) | time.sleep | function default
    return pause


wait = lambda pause=time.sleep: pause  # stale: wait(pause=) | time.sleep | function default


class Client:
    def call(self, pause=time.sleep):  # stale: Client.call(pause=) | time.sleep | function default
        return pause
