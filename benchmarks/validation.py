"""What it takes to find a payload right: ours, and jsonschema with a cached validator of the official schema, without formats."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common import Bench, shuffled
from benchmarks.goals import Goal, Report, Result, median, ratios
from benchmarks.payloads import REQUESTS

ROUNDS = 25
CHECKS = 300  # a round
KINDS = {
    ("1.6", "MeterValues", "v16/schemas/MeterValues.json"): Goal(30, None, at_least=True, unit=" ×"),
    ("2.0.1", "TransactionEvent", "v201/schemas/TransactionEventRequest.json"): Goal(50, None, at_least=True, unit=" ×"),
}


def measure(bench: Bench) -> Report:
    """Both messages."""
    from ocpp_sync import validate

    report = Report()
    for (version, action, path), goal in KINDS.items():
        payload = REQUESTS[version][action]
        checks = {"ours": partial(validate, action, payload, version=version), "jsonschema": partial(_official(path), payload)}
        times: dict[str, list[float]] = {name: [] for name in checks}
        for check in checks.values():
            _timed(check, bench.times(CHECKS))
        for _ in range(bench.times(ROUNDS)):
            for name in shuffled(list(checks)):
                times[name].append(_timed(checks[name], bench.times(CHECKS)))
        ours, theirs = (median(each, 1e6, " µs") for each in times.values())
        report.results.append(
            Result(f"validation of {version} {action}", goal, ratios(times["jsonschema"], times["ours"]), ours, f"jsonschema {theirs}")
        )
    return report


def _official(path: str) -> Callable[[Any], None]:
    """The check of a schema that the package ``ocpp`` brings along."""
    from jsonschema import validators

    schema = json.loads((Path(str(importlib.import_module("ocpp").__file__)).parent / path).read_text(encoding="utf-8-sig"))
    return validators.validator_for(schema)(schema).validate


def _timed(check: Callable[[], Any], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        check()
    return (time.perf_counter() - started) / count
