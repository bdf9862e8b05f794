import socket
import threading

lock = threading.Lock()  # stale: lock | threading.Lock | instance
acquire = threading.Lock().acquire  # stale: acquire.__self__ | threading.Lock | instance
listener = socket.socket()  # stale: listener | socket.socket | instance
receive = socket.socket().recv  # stale: receive.__self__ | socket.socket | instance
