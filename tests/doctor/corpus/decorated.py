import functools
import time


def waiting(function, pause=None):
    @functools.wraps(function)
    def wrapper():
        pause(1)
        return function()

    return wrapper


@functools.lru_cache
def cached(pause=time.sleep):  # stale: cached.__wrapped__(pause=) | time.sleep | function default
    return pause


@functools.partial(waiting, pause=time.sleep)
def wrapped():  # stale: wrapped<pause> | time.sleep | closure
    return 1


class Service:
    @property
    def waited(self, pause=time.sleep):  # stale: Service.waited.fget(pause=) | time.sleep | function default
        return pause

    @classmethod
    def make(cls, pause=time.sleep):  # stale: Service.make(pause=) | time.sleep | function default
        return pause
