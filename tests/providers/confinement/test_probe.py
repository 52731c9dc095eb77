"""What a host offers is told by trying it."""

from app.providers.confinement import SECCOMP, suffices
from app.providers.confinement.probe import offered_fences, try_fences
from app.providers.sandbox import Sandbox


def test_the_probe_tells_what_the_sandbox_will_have():
    sandbox = Sandbox()
    fences = sandbox.fences()
    sandbox.close()
    assert offered_fences() == fences


def test_a_host_that_cannot_try_offers_nothing(monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert try_fences() == frozenset()
    assert not suffices(frozenset({SECCOMP}))
