"""`causeway doctor`: is everything there that Causeway needs, and as it should be?"""

from collections.abc import Iterable, Iterator

from causeway.cli.output import Exit, Json, answer, printable


def doctor(as_json: Json = False) -> int:
    """Look at every prerequisite and every deployed part; say of each OK, or what to do.

    Exits 1 if something needs a person. Changes nothing. Works with either account's credentials.
    """
    from causeway.operate.doctor import examine

    checks = [{"name": check.name, "problem": check.problem} for check in examine()]
    answer({"checks": checks}, lambda: _text(checks), as_json)
    return Exit.ATTENTION if any(check["problem"] for check in checks) else Exit.FINE


def _text(checks: Iterable[dict[str, str]]) -> Iterator[str]:
    for check in checks:
        sign = "✗" if check["problem"] else "✓"
        yield f"{sign} {printable(check['name'])}: {printable(check['problem']) or 'OK'}"
