"""Counts what was checked, and keeps what went wrong."""

import threading
from collections import Counter

FAILURES_KEPT = 200


class Tally:
    """Checks that passed and failed. For use by any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed = 0
        self.failures: list[str] = []
        self.failed = 0
        self.checks: Counter[str] = Counter()

    def check(self, name: str, is_right: bool, detail: object = "") -> bool:
        """Counts one check; a failed one is told at once."""
        with self.lock:
            self.checks[name] += 1
            if is_right:
                self.passed += 1
                return True
            self.failed += 1
            text = f"{name}: {detail}" if detail != "" else name
            if len(self.failures) < FAILURES_KEPT:
                self.failures.append(text)
                print(f"FAILED {text}", flush=True)
            return False

    def summary(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"
