"""Small servers that answer as their protocols say, in a process of its own on the server's machine:

python stubs.py http LINE | sstp CRT KEY | tls-alpn CRT KEY
"""

import socket
import ssl
import sys
import threading


def http(connection: socket.socket, line: str) -> None:
    connection.recv(4096)
    body = f"{line}\n".encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)


def over_tls(connection: socket.socket, certificate: str, key: str, alpn: str = "") -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if alpn:
        context.set_alpn_protocols([alpn])
    with context.wrap_socket(connection, server_side=True) as wrapped:
        said = wrapped.recv(4096)
        if said.startswith(b"SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/ HTTP/1.1\r\n"):
            wrapped.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n")
            wrapped.recv(1)


def answer(connection: socket.socket, words: list[str]) -> None:
    kind, *rest = words
    try:
        connection.settimeout(60)
        with connection:
            if kind == "http":
                http(connection, *rest)
            else:
                over_tls(connection, *rest, *(["acme-tls/1"] if kind == "tls-alpn" else []))
    except OSError:
        return


def main(words: list[str]) -> None:
    port = 80 if words[0] == "http" else 443
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection, words), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1:])
