import sys

try:
    from no_such_socket import socket
except ImportError:
    from socket import socket  # stale: socket | socket.socket | module global

if sys.version_info > (3,):
    from time import sleep as pause  # stale: pause | time.sleep | module global
