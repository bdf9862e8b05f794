import queue
import selectors
import threading

lock = threading.Lock()  # stale: lock | threading.Lock | instance
reentrant = threading.RLock()  # eventlet makes these anew  # stale(gevent): reentrant | threading.RLock | instance
condition = threading.Condition()  # stale: condition | threading.Condition | instance
event = threading.Event()  # stale: event | threading.Event | instance
semaphore = threading.Semaphore(2)  # stale: semaphore | threading.Semaphore | instance
barrier = threading.Barrier(2)  # stale: barrier | threading.Barrier | instance
jobs = queue.Queue()  # stale: jobs | queue.Queue | instance
simple = queue.SimpleQueue()  # stale: simple | queue.SimpleQueue | instance
stack = queue.LifoQueue()  # stale: stack | queue.LifoQueue | instance
local = threading.local()  # stale: local | threading.local | instance
selector = selectors.DefaultSelector()  # stale: selector | selectors.EpollSelector | instance
thread = threading.Thread(target=print)  # stale: thread | threading.Thread | instance


class Holder:
    def __init__(self):
        self.lock = threading.Lock()
        self.inner = {"lock": threading.Lock()}


holder = Holder()  # stale: holder.lock | threading.Lock | instance  # stale: holder.inner['lock'] | threading.Lock | instance
