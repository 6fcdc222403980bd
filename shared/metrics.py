"""What a process counts, for Prometheus: base units, no ids as labels, timestamps rather than ages.

Counters and histograms are moved once per batch or per call, never per fact, and cost a few microseconds. Gauges are
set when somebody scrapes; `shared/service/scrape.py` does that.
"""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_BATCH_FACTS: Final = (1, 2, 5, 10, 20, 50, 100, 200)
_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_WAY_SECONDS: Final = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400)

_FACTS = Counter("hosho_facts", "Facts that ended, by queue and ending", ["queue", "ending"], registry=REGISTRY)
_PARKED = Counter("hosho_facts_parked", "Facts parked, by queue and code", ["queue", "code"], registry=REGISTRY)
_WAITED = Counter("hosho_deliveries_waited", "Times a batch waited for the database", ["queue"], registry=REGISTRY)
_BATCH = Histogram(
    "hosho_delivery_batch_facts", "Facts taken together", ["queue"], buckets=_BATCH_FACTS, registry=REGISTRY
)
_SETTLED = Histogram(
    "hosho_delivery_seconds", "From taking a batch to its commit", ["queue"], buckets=_SECONDS, registry=REGISTRY
)
_LOOKED = Counter(
    "hosho_deliveries_looked",
    "Batches settled step by step, since not everything was as it was presumed",
    ["queue"],
    registry=REGISTRY,
)
_RELAYED = Counter(
    "hosho_relay_rows", "Outbox rows the broker was given, by what it said", ["answer"], registry=REGISTRY
)
_PUBLISHED = Histogram(
    "hosho_relay_publish_seconds", "From publishing a batch to its confirms", buckets=_SECONDS, registry=REGISTRY
)
_CALLS = Counter("hosho_errand_calls", "Calls to the outside, by outcome", ["errand", "outcome"], registry=REGISTRY)
_CALLED = Histogram(
    "hosho_errand_call_seconds", "How long the outside took", ["errand"], buckets=_SECONDS, registry=REGISTRY
)
_LOST = Counter("hosho_errand_leases_lost", "Failures that came after their lease", ["errand"], registry=REGISTRY)
KEYS_UNOPENABLE = Counter("hosho_keys_unopenable", "Sealed keys that were wanted and did not open", registry=REGISTRY)
LOOP_LAG = Histogram(
    "hosho_event_loop_lag_seconds", "How late the loop woke a sleeper", buckets=_SECONDS, registry=REGISTRY
)
ISSUED = Histogram(
    "hosho_accepted_to_issued_seconds", "From acceptance to 発行, per line", buckets=_WAY_SECONDS, registry=REGISTRY
)
MAILED = Histogram(
    "hosho_accepted_to_mailed_seconds", "From acceptance to the mail's end", buckets=_WAY_SECONDS, registry=REGISTRY
)


def _gauge(name: str, what: str, *labels: str) -> Gauge:
    return Gauge(f"hosho_{name}", what, labels, registry=REGISTRY)


BUILD = _gauge("build_info", "Which service and build this is", "service", "version")
READY = _gauge("ready", "1 while work can be taken")
DATABASE_UP = _gauge("database_up", "1 if the database answered this scrape")
OWNER_ALIVE = _gauge("owner_alive", "1 while this process holds its lock")
BROKER_CONNECTED = _gauge("broker_connected", "1 while the publishing connection stands")
POOL = _gauge("pool_connections", "Database connections of the pool, by use", "use")
POOL_MAX = _gauge("pool_connections_max", "Database connections the pool may open")
RELAY_HELD = _gauge("relay_rows_held", "Outbox rows in this process's memory")
CONSUMER_UP = _gauge("consumer_up", "1 while the broker has our consumer on this queue", "queue")
IN_HAND = _gauge("consumer_facts_in_hand", "Facts taken from the broker that wait in memory", "queue")
FAILING_SINCE = _gauge(
    "consumer_waiting_since_timestamp_seconds", "Since when deliveries wait for the database; 0 if they do not", "queue"
)
OUTBOX = _gauge("outbox_rows", "Facts committed and not yet confirmed, up to 100,000")
OUTBOX_FAILING = _gauge("outbox_failing_rows", "Of these, how many came back at least once")
OUTBOX_OLDEST = _gauge("outbox_oldest_timestamp_seconds", "When the oldest of them was announced; 0 if there is none")
INBOX_PARKED = _gauge("inbox_parked_facts", "Facts that ended parked at this consumer", "queue")
ERRAND_ROWS = _gauge("errand_rows", "Rows not settled, by what they wait for", "errand", "which")
ERRAND_OLDEST = _gauge(
    "errand_oldest_timestamp_seconds", "When the oldest of them was made; 0 if there is none", "errand"
)
STAGE = _gauge("stage_standing", "1 for how the stage stands, 0 for all other ways", "errand", "standing")
STAGE_SINCE = _gauge("stage_since_timestamp_seconds", "Since when it stands so; 0 if all is well", "errand")
SEALED_BY_OTHERS = _gauge("sealed_rows_to_seal_again", "Rows that another key than the first of the ring seals", "kid")
SEALED_UNOPENABLE = _gauge("sealed_rows_unopenable", "Rows whose sealed key no key of the ring opens")

DESK_OPEN = _gauge("desk_open_facts", "Parked facts that nobody has acted on", "queue")
DESK_OLDEST = _gauge("desk_oldest_timestamp_seconds", "When the oldest of them was parked", "queue")
LEDGER_LINES = _gauge("ledger_lines", "Lines of accepted applications, by where they stand", "column")
LEDGER_DIFFERENCES = _gauge("ledger_differences", "Counts in which journal and services differ right now")
LEDGER_VERDICT = _gauge("ledger_verdict", "1 for what may be said of the ledger: even, uneven, unknown", "verdict")
ALARMS = _gauge("alarms", "Alarms that are raised, by kind", "kind")
JOURNAL_ENTRIES = _gauge("journal_entries", "Entries in the journal's chain")
JOURNAL_WRITTEN = _gauge("journal_written_timestamp_seconds", "When the last batch was written")
QUEUE_MESSAGES = _gauge("queue_messages", "Messages that are with no consumer", "queue")
QUEUE_CONSUMERS = _gauge("queue_consumers", "Consumers the broker knows", "queue")
BROKER_ANSWERS = _gauge("broker_answers", "1 if the broker told how deep its queues are")
DOOR_UP = _gauge("door_up", "1 if this service's operator door answered ops", "service")
DOCTOR = _gauge("doctor_told_timestamp_seconds", "When the doctor last told ops what it found; 0 if never")


def settled(queue: str, *, facts: int, repeats: int, parked: int, seconds: float) -> None:
    """A batch ended in one commit."""
    _BATCH.labels(queue).observe(facts)
    _SETTLED.labels(queue).observe(seconds)
    _FACTS.labels(queue, "done").inc(max(0, facts - repeats - parked))
    if repeats:
        _FACTS.labels(queue, "repeat").inc(repeats)


def looked(queue: str) -> None:
    """A batch was not as it was presumed to be."""
    _LOOKED.labels(queue).inc()


def parked(queue: str, codes: Mapping[str, int]) -> None:
    """Facts were given up, by code; codes come from our own code, so they are few."""
    for code, count in codes.items():
        _FACTS.labels(queue, "parked").inc(count)
        _PARKED.labels(queue, code).inc(count)


def waited(queue: str) -> None:
    """A batch waits for the database before it is tried again."""
    _WAITED.labels(queue).inc()


def relayed(*, confirmed: int, refused: int, away: int) -> None:
    """What the broker said to a batch of outbox rows."""
    for answer, count in (("confirmed", confirmed), ("refused", refused), ("away", away)):
        if count:
            _RELAYED.labels(answer).inc(count)


def published(seconds: float) -> None:
    """A batch was published and answered."""
    _PUBLISHED.observe(seconds)


def called(errand: str, outcome: str, seconds: float) -> None:
    """A call to the outside ended."""
    _CALLS.labels(errand, outcome).inc()
    _CALLED.labels(errand).observe(seconds)


def leases_lost(errand: str, rows: int) -> None:
    """Failures came too late to change anything."""
    _LOST.labels(errand).inc(rows)


def introduce(queue: str = "", errand: str = "") -> None:
    """Let what has not happened yet stand at zero: a series that begins at one hides its first rise."""
    if queue:
        for ending in ("done", "repeat", "parked"):
            _FACTS.labels(queue, ending)
        _WAITED.labels(queue)
        _LOOKED.labels(queue)
        _BATCH.labels(queue)
        _SETTLED.labels(queue)
        _PARKED.labels(queue, "unreadable")
    if errand:
        for outcome in ("settled", "later", "hold", "ourfault"):
            _CALLS.labels(errand, outcome)
        _CALLED.labels(errand)
        _LOST.labels(errand)


for _answer in ("confirmed", "refused", "away"):
    _RELAYED.labels(_answer)
