import functools
import time

pause = functools.partial(time.sleep, 1)  # stale: pause.func | time.sleep | functools.partial
call = functools.partial(map, time.sleep)  # stale: call.args[0] | time.sleep | functools.partial
named = functools.partial(print, file=time.sleep)  # stale: named.keywords['file'] | time.sleep | functools.partial
