"""What a process can still reach when it has confined itself: what it has open, and its own memory.

Two walls of the Linux kernel, each for itself enough against the usual ways out, neither of which needs root:
Landlock (no file can be opened, no TCP port reached, no process outside signalled) and seccomp (no system call but
those that compute: no `open`, `socket`, `execve`, `fork`, `ptrace`). Neither can be taken off again. Where a kernel has
one of them only, or none, `confine` says so and the process goes on: `rahdari doctor` tells it.

Standard library alone: what is imported here is imported in front of the walls.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

FILES, CALLS = "landlock", "seccomp"
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
# landlock(7): the same numbers on every architecture.
CREATE_RULESET, RESTRICT_SELF, ASK_VERSION = 444, 446, 1
# What each version of Landlock can deny, in bits: to files, to the network, to processes outside.
FILE_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 5: 0xFFFF}
NET_RIGHTS, SCOPES = {4: 0b11}, {6: 0b11}

# The calls of a program that reads its pipe, computes, answers and ends, as x86_64 and aarch64 number them.
ALLOWED = {
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66), "close": (3, 57), "lseek": (8, 62),
    "fstat": (5, 80), "newfstatat": (262, 79), "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215),
    "brk": (12, 214), "mremap": (25, 216), "madvise": (28, 233), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "sigaltstack": (131, 132), "futex": (202, 98), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "clock_gettime": (228, 113), "gettimeofday": (96, 169), "getrandom": (318, 278),
    "getpid": (39, 172), "gettid": (186, 178), "exit": (60, 93), "exit_group": (231, 94), "restart_syscall": (219, 128),
    "set_robust_list": (273, 99), "rseq": (334, 293), "getrusage": (98, 165),
}  # fmt: skip
# Name of the machine -> which of the two columns, and the kernel's number of the architecture (linux/audit.h).
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
ALLOW, REFUSE, END = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000


def confine() -> list[str]:
    """Put up the walls for this process, for good. Gives the names of those that stand: `landlock`, `seccomp`.

    Everything that is needed has to be imported and opened before.
    """
    if sys.platform != "linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return []
    walls = [FILES] if _close_files(libc) else []
    return [*walls, CALLS] if _close_calls(libc) else walls


def _close_files(libc: ctypes.CDLL) -> bool:
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(ASK_VERSION))
    if version < 1:
        return False
    denied = [_most(rights, version) for rights in (FILE_RIGHTS, NET_RIGHTS, SCOPES)]
    # An older kernel refuses a longer structure than it knows.
    known = 1 if version < 4 else 2 if version < 6 else 3
    wanted = struct.pack(f"={known}Q", *denied[:known])
    rules = libc.syscall(CREATE_RULESET, wanted, ctypes.c_size_t(len(wanted)), ctypes.c_uint32(0))
    if rules < 0:
        return False
    try:
        return bool(libc.syscall(RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0)) == 0)
    finally:
        os.close(rules)


def _most(rights: dict[int, int], version: int) -> int:
    return max((bits for since, bits in rights.items() if since <= version), default=0)


def _close_calls(libc: ctypes.CDLL) -> bool:
    if platform.machine() not in MACHINES or sys.maxsize < 2**32:
        return False
    program = program_of(platform.machine())
    held = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: how many instructions, and where they stand.
    wanted = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    return bool(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, wanted, 0, 0) == 0)


def program_of(machine: str) -> bytes:
    """The filter in classic BPF: another architecture ends the process, a call that is not listed gets EPERM."""
    column, architecture = MACHINES[machine]
    numbers = sorted(numbers[column] for numbers in ALLOWED.values())
    load, equal, give = 0x20, 0x15, 0x06
    lines = [
        (load, 0, 0, 4),  # seccomp_data.arch
        (equal, 1, 0, architecture),
        (give, 0, 0, END),
        (load, 0, 0, 0),  # seccomp_data.nr
    ]
    # Each comparison jumps over the rest of them, and over the refusal, to the last line.
    lines += [(equal, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    lines += [(give, 0, 0, REFUSE), (give, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
