"""HTTP/1.1 over non-blocking sockets: connect, keep connections, parse responses."""
