import time


def retrying(pause):
    def retry():
        pause(1)

    return retry


retry = retrying(time.sleep)  # stale: retry<pause> | time.sleep | closure
