import logging
from concurrent.futures import ThreadPoolExecutor

executor = ThreadPoolExecutor(2)  # stale: executor | queue.SimpleQueue | instance
log = logging.getLogger("corpus")
