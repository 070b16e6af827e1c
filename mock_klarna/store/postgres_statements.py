"""The statements with which a PostgreSQL store writes, and where its transactions are in the journal."""

from collections.abc import Mapping, Sequence
from functools import cache

from mock_klarna.store.postgres_jobs import RELAXED

_HORIZON = "((pg_snapshot_xmin(pg_current_snapshot())::text::bigint + {shift}) << 12)"
_BASE = "((pg_current_xact_id()::text::bigint + {shift}) << 12)"
MAX_ENTRIES = 2000
"""Entries that one transaction writes at the most: twelve bits of `seq` number them."""

_ENTRY_TYPES = ("float8", "text", "text", "text", "text", "bigint", "bigint", "bytea")
_PARTS: Mapping[str, tuple[str, str, Sequence[str]]] = {
    "inserts": (
        """
inserted AS (INSERT INTO records (kind, key, alias, merchant, subject, version, owner, body) VALUES {rows}
    ON CONFLICT DO NOTHING RETURNING 1)""",
        "",
        ("text", "text", "text", "text", "text", "bigint", "text", "bytea"),
    ),
    "updates": (
        """
updated AS (UPDATE records r SET alias = w.alias, subject = w.subject, version = w.version, owner = w.owner, body = w.body
    FROM (VALUES {rows}) AS w (kind, key, alias, merchant, subject, version, owner, body)
    WHERE r.kind = w.kind AND r.key = w.key AND r.version = w.version - 1 RETURNING 1)""",
        "",
        ("text", "text", "text", "text", "text", "bigint", "text", "bytea"),
    ),
    "cancels": (
        """
cancelled AS (DELETE FROM jobs WHERE merchant = $1 AND owner IS NULL AND job_id IN ({rows}))""",
        "",
        ("text",),
    ),
    "finished": (
        """
finished AS (DELETE FROM jobs j USING (VALUES {rows}) AS f (job_id, due, number, owner)
    WHERE j.merchant = $1 AND j.job_id = f.job_id AND j.due = f.due AND j.number = f.number AND j.owner = f.owner)""",
        "",
        ("text", "float8", "bigint", "text"),
    ),
    "jobs": (
        """
scheduled AS (INSERT INTO jobs (merchant, job_id, due, kind, subject, number) VALUES {rows}
    ON CONFLICT (merchant, job_id) WHERE owner IS NULL
    DO UPDATE SET due = excluded.due, number = excluded.number, position = excluded.position)""",
        "",
        ("text", "text", "float8", "text", "text", "bigint"),
    ),
    "events": (
        """
appended AS (INSERT INTO journal (seq, at, merchant, kind, name, purchase_id, is_event, size, data) VALUES {rows}
    RETURNING seq)""",
        "BASE + {number}, ",
        _ENTRY_TYPES,
    ),
}
"""What a commit can contain: the part of the statement, what each row begins with, and the types of its parameters.

Rows are parameters of their own: asyncpg takes five times as long for arrays.
"""
_MERCHANT_AND_CLOCK = (
    "INSERT INTO merchants (name, clock_offset) VALUES ($1, $2) "
    "ON CONFLICT (name) DO UPDATE SET clock_offset = excluded.clock_offset"
)
ADD_MERCHANT = "INSERT INTO merchants (name) VALUES ($1) ON CONFLICT DO NOTHING"
_APPEND = """
WITH e AS (SELECT * FROM {rows} AS e (at, merchant, kind, name, purchase_id, is_event, size, data, number)),
    named AS (INSERT INTO merchants (name) SELECT DISTINCT merchant FROM e ORDER BY 1 ON CONFLICT DO NOTHING)
INSERT INTO journal (seq, at, merchant, kind, name, purchase_id, is_event, size, data)
SELECT BASE + number, at, merchant, kind, name, purchase_id, is_event, size, data FROM e RETURNING seq"""
_ENTRY_ARRAYS = """unnest($1::float8[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bytea[])
    WITH ORDINALITY"""
MAX_ENTRY_ROWS = 8
"""Entries above which arrays are faster than rows, and of which a statement for each number would be too many."""
COUNT = f"""
WITH m AS ({ADD_MERCHANT}) INSERT INTO counters (merchant, name, value) VALUES ($1, $2, 1)
ON CONFLICT (merchant, name) DO UPDATE SET value = counters.value + 1 RETURNING value, {RELAXED}"""
COUNT_REQUEST = f"""
INSERT INTO request_counts AS c (merchant, name, second, requests)
VALUES ($1, $2, extract(epoch FROM clock_timestamp())::bigint, 1)
ON CONFLICT (merchant, name) DO UPDATE SET second = greatest(c.second, excluded.second),
    requests = CASE WHEN c.second >= excluded.second THEN c.requests + 1 ELSE 1 END
RETURNING requests, {RELAXED}"""
CUT_JOURNAL = """
WITH oldest AS (SELECT seq, sum(size) OVER (ORDER BY is_event, seq) - size AS before, size FROM (
        SELECT seq, is_event, size FROM journal WHERE merchant = $1 AND seq < $2 ORDER BY is_event, seq LIMIT 20000) AS o),
    gone AS (DELETE FROM journal WHERE seq IN (SELECT seq FROM oldest WHERE before < $3) RETURNING seq, size),
    counted AS (UPDATE merchants SET dropped = dropped + (SELECT count(*) FROM gone),
        newest_dropped = greatest(newest_dropped, (SELECT max(seq) FROM gone)) WHERE name = $1)
SELECT coalesce(sum(size), 0) FROM gone"""
CLEAR = """
WITH r AS (DELETE FROM records {0}), j AS (DELETE FROM jobs {0}), c AS (DELETE FROM counters {0}),
    e AS (DELETE FROM journal {0}) DELETE FROM merchants {1}"""


@cache
def with_shift(statement: str, shift: int) -> str:
    """Return a statement with the positions for which BASE and HORIZON stand.

    BASE: below the entries of the running transaction. HORIZON: no entry below it is still to come.
    """
    return statement.replace("HORIZON", _HORIZON.format(shift=shift)).replace("BASE", _BASE.format(shift=shift))


@cache
def append_statement(count: int) -> str:
    """Return the statement that appends entries to the journal."""
    if count > MAX_ENTRY_ROWS:
        return _APPEND.format(rows=_ENTRY_ARRAYS)
    return _APPEND.format(rows=f"(VALUES {_rows_text(count, _ENTRY_TYPES, after=', {number}')})")


def _rows_text(count: int, types: Sequence[str], parameter: int = 1, before: str = "", after: str = "") -> str:
    """Return the rows of VALUES with parameters from `parameter` on; `before` and `after` may contain the number of the row."""
    rows = []
    for number in range(1, count + 1):
        columns = ", ".join(f"${parameter + place}::{name}" for place, name in enumerate(types))
        rows.append(f"({before.format(number=number)}{columns}{after.format(number=number)})")
        parameter += len(types)
    return ", ".join(rows)


@cache
def commit_statement(moves_clock: bool, counts: tuple[int, ...]) -> str:
    """Return the statement of a commit; `counts` says how many rows it has of each part."""
    parameter = 3 if moves_clock else 2
    texts = [f"named AS ({_MERCHANT_AND_CLOCK if moves_clock else ADD_MERCHANT})"]
    for (text, prefix, types), count in zip(_PARTS.values(), counts, strict=True):
        if count:
            texts.append(text.format(rows=_rows_text(count, types, parameter, before=prefix)))
            parameter += count * len(types)
    inserts, updates, *_, events = counts
    written = [
        f"(SELECT count(*) FROM {name})" for name, count in (("inserted", inserts), ("updated", updates)) if count
    ]
    check = f"1 / ({' + '.join(written)} = {inserts + updates})::int" if written else "0"
    newest = "(SELECT max(seq) FROM appended)" if events else "NULL::bigint"
    return f"WITH {', '.join(texts)} SELECT {check}, {newest}"
