"""Windows: nothing that it lacks is needed by importing a module; running there is untested."""

from processes import run_code

CODE = """
import importlib, os, pkgutil, signal, sys

ABSENT = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
OF_OS = ("fork", "forkpty", "geteuid", "getpgid", "getuid", "killpg", "mkfifo", "nice",
         "sched_getaffinity", "setsid", "statvfs", "uname", "wait4", "WNOHANG")
OF_SIGNALS = ("SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "alarm", "pthread_kill",
              "pthread_sigmask", "setitimer")

def import_all():
    for package in ("ser_aae", "data_prep", "tuning", "reports"):
        importlib.import_module(package)
        for module in pkgutil.walk_packages(sys.modules[package].__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return {name for name in sys.modules if name.partition(".")[0] in
            ("ser_aae", "data_prep", "tuning", "reports")}

ours = import_all()  # and with it what others brought for this system
for name in ours:
    del sys.modules[name]
for name in ABSENT:
    sys.modules[name] = None
for place, names in ((os, OF_OS), (signal, OF_SIGNALS)):
    for name in names:
        if hasattr(place, name):
            delattr(place, name)
assert import_all() == ours
print(len(ours))
"""
"""Imports all modules as on a system that lacks what Windows does."""


def test_every_module_can_be_imported():
    assert int(run_code(CODE).stdout) > 150
