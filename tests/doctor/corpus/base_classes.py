import queue
import socket
import threading


class Connection(socket.socket):  # stale: Connection | socket.socket | base class
    pass


class State(threading.local):  # stale: State | threading.local | base class
    pass


class Worker(threading.Thread):  # stale(gevent): Worker | threading.Thread | base class
    pass


class Jobs(queue.Queue):  # stale: Jobs | queue.Queue | base class
    pass


class Secure(Connection):
    pass
