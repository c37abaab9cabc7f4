"""The IAM simulator: a Node process that answers JSON lines."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

Json = dict[str, Any]
NODE = Path(sys.prefix) / "bin" / "node"


class SimulationError(Exception):
    """The simulator could not decide: never to be taken for a denial."""


class Simulator:
    """Use it as a context manager."""

    def __enter__(self) -> "Simulator":
        self._process = subprocess.Popen(
            [str(NODE), str(Path(__file__).with_name("simulate.mjs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def ask(self, questions: list[Json]) -> list[Json]:
        """Answers in the order of the questions.

        Raises SimulationError if one has none, or if part of the request was left out of account.
        """
        writer = threading.Thread(target=self._write, args=(questions,))
        writer.start()
        assert self._process.stdout
        answers = [json.loads(self._process.stdout.readline()) for _ in questions]
        writer.join()
        for question, answer in zip(questions, answers, strict=True):
            if "error" in answer or answer.get("ignored"):
                asked = {
                    key: question.get(key)
                    for key in ("command", "principal", "action", "resource", "context")
                }
                raise SimulationError(f"{answer} for {asked}")
        return answers

    def _write(self, questions: list[Json]) -> None:
        assert self._process.stdin
        for question in questions:
            self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
