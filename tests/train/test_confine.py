import subprocess
import sys

CODE = """
import resource, socket
from pixelmine.train.confine import confine
confine()
for call in (lambda: socket.socket(), lambda: socket.create_connection(("127.0.0.1", 9))):
    try:
        call()
    except PermissionError as error:
        print(error)
print(*(resource.getrlimit(n)[0] for n in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE)))
try:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
except (ValueError, PermissionError):
    print("kept")
else:
    print("root may lift it")
"""


def test_the_network_is_cut_off_and_limits_are_set() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    first, second, limits, _ = done.stdout.splitlines()
    assert first == second == "training and importing open no network connection."
    assert limits == "0 512"
