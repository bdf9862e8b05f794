import threading
import time
import types
from collections import defaultdict, deque

LOCKS = {"orders": threading.Lock()}  # stale: LOCKS['orders'] | threading.Lock | instance
PAIR = (1, threading.Lock())  # stale: PAIR[1] | threading.Lock | instance
WAITS = [time.sleep]  # stale: WAITS[0] | time.sleep | item
QUEUED = deque([threading.Lock()])  # stale: QUEUED[0] | threading.Lock | instance
SET = {time.sleep}  # stale: SET[0] | time.sleep | item
DEEP = {"a": [{"b": threading.Lock()}]}  # stale: DEEP['a'][0]['b'] | threading.Lock | instance
MADE = defaultdict(threading.Lock)  # stale: MADE.default_factory | threading.Lock | attribute
SPACE = types.SimpleNamespace(sleep=time.sleep)  # stale: SPACE.sleep | time.sleep | attribute
