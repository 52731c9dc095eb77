"""The modules that all calls of code share: one call cannot change what the next one imports."""

import subprocess
import sys

from tests.support.paths import PROJECT

# A child that has got hold of the C library makes the shared memory writable, and writes.
PROGRAM = """
import ctypes, json, os, pathlib
from app.providers.cpython.modules import ModuleStore
file = json.decoder.__file__
store = ModuleStore()
store.fill({"json": pathlib.Path(file).parent}, ())
before = store.get_data(file)
with open("/proc/self/maps") as maps:
    first, end = next(line.split()[0] for line in maps if "memfd:modules" in line).split("-")
place, size = int(first, 16), int(end, 16) - int(first, 16)
child = os.fork()
if not child:
    library = ctypes.CDLL(None)
    library.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    assert library.mprotect(place, size, 3) == 0
    ctypes.memset(place, 0, size)
    os._exit(0 if set(store.get_data(file)) == {0} else 1)
print(os.waitpid(child, 0)[1], store.get_data(file) == before)
"""


def test_a_call_cannot_write_into_the_modules_of_others():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == "0 True\n"
