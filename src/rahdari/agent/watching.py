"""Hearing from the kernel that something of our tables was taken out: table, chain, rules, sets or elements.

The kernel tells each change of nftables to whoever listens (a netlink socket, group NFNLGRP_NFTABLES), with the port
over which it was made, which is the number of the process for `nft`. What was taken out by others makes the agent look
at once. Where the right to listen is missing, the looks on the timer remain.
"""

import logging
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .nftables import NftSets

log = logging.getLogger("rahdari.agent")

# linux/netlink.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
NETLINK_NETFILTER = 12
GROUP_NFTABLES = 7
SUBSYSTEM_NFTABLES = 10
TAKEN_OUT = frozenset({2, 5, 8, 11, 14})  # NFT_MSG_DELTABLE, DELCHAIN, DELRULE, DELSET, DELSETELEM
TABLE_NAME = 1
TYPE_MASK = 0x3FFF
FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
HEADER, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=HH")
FAMILY_HEADER = 4
RESOURCE = struct.Struct(">H")

# Between two looks that this asks for: programs that fight over a table cost no more than this.
PAUSE_SECONDS = 1.0
MOST_BYTES = 256 * 1024
# What is not read in time is dropped by the kernel, which says so: then a look is due as well.
BUFFER = 1024 * 1024


class Taken(NamedTuple):
    """Something of a table was taken out, over this port, in the transaction of this number (of 16 bits)."""

    table: str
    port: int
    transaction: int = 0


def taken_out(data: bytes) -> Iterator[Taken]:
    """What the messages in one datagram say. What cannot be read says nothing."""
    at = 0
    while at + HEADER.size + FAMILY_HEADER <= len(data):
        length, kind, _, _, port = HEADER.unpack_from(data, at)
        if length < HEADER.size:
            return
        message, at = data[at : at + length], at + _aligned(length)
        if kind >> 8 == SUBSYSTEM_NFTABLES and kind & 0xFF in TAKEN_OUT and len(message) > HEADER.size:
            family = FAMILIES.get(message[HEADER.size], "")
            for name in _attributes(message[HEADER.size + FAMILY_HEADER :], TABLE_NAME):
                (transaction,) = RESOURCE.unpack_from(message, HEADER.size + 2)
                yield Taken(f"{family} {name.rstrip(b'\0').decode('utf-8', 'replace')}", port, transaction)


def _attributes(data: bytes, wanted: int) -> Iterator[bytes]:
    at = 0
    while at + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, at)
        if length < ATTRIBUTE.size:
            return
        if kind & TYPE_MASK == wanted:
            yield data[at + ATTRIBUTE.size : at + length]
        at += _aligned(length)


def _aligned(length: int) -> int:
    return (length + 3) & ~3


class Watch:
    """A thread for each namespace that has tables of ours; as a context."""

    def __init__(self, tables: Sequence[NftSets], wake: Callable[[], None]) -> None:
        self._wake = wake
        self._stop, self._stopped = socket.socketpair()
        spaces = sorted({table.netns for table in tables})
        self._threads = [
            threading.Thread(
                target=self._listen,
                args=(space, [table for table in tables if table.netns == space]),
                name=f"watch {space}".strip(),
                daemon=True,
            )
            for space in spaces
        ]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.close()
        for thread in self._threads:
            thread.join()
        self._stopped.close()

    def _listen(self, space: str, tables: Sequence[NftSets]) -> None:
        names = " and ".join(table.table for table in tables)
        try:
            listener = _socket(space)
        except OSError as error:
            log.info("that %s is changed by others is seen by the looks alone: %s", names, error.strerror)
            return
        with listener, selectors.DefaultSelector() as selector:
            for one in (listener, self._stopped):
                selector.register(one, selectors.EVENT_READ)
            told: Taken | None = None
            while not any(key.fileobj is self._stopped for key, _ in selector.select()):
                # One act of others comes in several messages, and one look sees all of it.
                taken, was_lost = _taken_by_others(tables, listener)
                if not was_lost and (taken is None or taken == told):
                    continue
                told = taken
                log.info("something of %s was taken out by others: looking", names)
                self._wake()
                pause = time.monotonic() + PAUSE_SECONDS
                selector.unregister(listener)
                if selector.select(max(pause - time.monotonic(), 0.0)):
                    return
                selector.register(listener, selectors.EVENT_READ)


def _taken_by_others(tables: Iterable[NftSets], listener: socket.socket) -> tuple[Taken | None, bool]:
    """The last thing that others took out of these, by what came; and whether some word of the kernel was lost."""
    try:
        data = listener.recv(MOST_BYTES)
    except OSError:
        # More came than was read: what it said is not known.
        return None, True
    ours = {table.table: table for table in tables}
    found = [taken for taken in taken_out(data) if taken.table in ours and not ours[taken.table].did(taken.port)]
    return (found[-1] if found else None), False


def _socket(space: str) -> socket.socket:
    """In this thread's namespace from now on. Raises OSError."""
    if space:
        handle = os.open(Path("/run/netns") / space, os.O_RDONLY | os.O_CLOEXEC)
        try:
            # Of a thread's own: the others stay where they are.
            os.setns(handle, os.CLONE_NEWNET)
        finally:
            os.close(handle)
    listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        listener.bind((0, 1 << (GROUP_NFTABLES - 1)))
    except OSError:
        listener.close()
        raise
    return listener
