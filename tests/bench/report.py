"""Figures of a measurement and how they are printed."""

import dataclasses
from collections.abc import Mapping, Sequence

SERVER = ("web", "worker", "redis", "postgres")


@dataclasses.dataclass(frozen=True)
class Spread:
    """Milliseconds; zero where nothing was measured."""

    p50: float = 0
    p99: float = 0
    max: float = 0


@dataclasses.dataclass(frozen=True)
class Numbers:
    """One load: who came, how it went, what it cost."""

    streams: int
    rate: float
    completed: int
    failed: Mapping[str, int]
    first_ms: Spread
    total_ms: Spread
    frames_per_stream: float
    cpu_ms_per_stream: Mapping[str, float]
    memory_mib: Mapping[str, tuple[float, ...]]
    others_share: float

    @property
    def server_ms(self) -> float:
        return sum(self.cpu_ms_per_stream.get(name, 0) for name in SERVER)


def spread(seconds: Sequence[float]) -> Spread:
    if not seconds:
        return Spread()
    ordered = sorted(value * 1000 for value in seconds)
    last = len(ordered) - 1
    return Spread(*(round(ordered[round(last * part)], 1) for part in (0.5, 0.99, 1)))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    texts = [list(heads), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(heads))]
    for row in texts:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def print_streams(loads: Sequence[Numbers]) -> None:
    others = [name for name in (loads[0].cpu_ms_per_stream if loads else ()) if name not in SERVER]
    heads = [
        "streams",
        "per s",
        "ok",
        "first p50/p99/max ms",
        "total p50/p99/max ms",
        "server",
        *SERVER,
        *others,
        "others %",
    ]
    rows = []
    for load in loads:
        first, total, cpu = load.first_ms, load.total_ms, load.cpu_ms_per_stream
        rows.append(
            [
                load.streams,
                load.rate or "burst",
                load.completed,
                f"{first.p50:.0f}/{first.p99:.0f}/{first.max:.0f}",
                f"{total.p50:.0f}/{total.p99:.0f}/{total.max:.0f}",
                f"{load.server_ms:.1f}",
                *(cpu.get(name, "-") for name in (*SERVER, *others)),
                f"{load.others_share * 100:.0f}",
            ]
        )
    print_table(heads, rows)
    for load in loads:
        for reason, count in load.failed.items():
            print(f"FAILED of {load.streams}: {count} x {reason}")
    if loads and loads[-1].memory_mib:
        parts = (
            f"{name} {resident:.0f}/{proportional:.0f}"
            for name, (resident, proportional) in loads[-1].memory_mib.items()
        )
        print("RSS/PSS in MiB after the last: " + ", ".join(parts))
