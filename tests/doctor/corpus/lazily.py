from time import sleep  # stale: sleep | time.sleep | module global
