from time import *  # noqa: F403  # stale: sleep | time.sleep | module global
