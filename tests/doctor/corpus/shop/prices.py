from socket import socket  # stale: socket | socket.socket | module global
