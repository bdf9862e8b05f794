from select import select  # stale: select | select.select | module global
from socket import create_connection  # stale: create_connection | socket.create_connection | module global
from socket import socket as Socket  # stale: Socket | socket.socket | module global
from subprocess import Popen  # stale: Popen | subprocess.Popen | module global
from threading import Lock, local  # stale: Lock | threading.Lock | module global  # stale: local | threading.local | module global
from time import monotonic, sleep  # stale: sleep | time.sleep | module global
