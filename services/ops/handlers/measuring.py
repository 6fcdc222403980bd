"""What only ops can measure: the desk, the ledger, the queues, the doors, and how long the whole way took."""

from services.ops.domain.ledger import Column, Verdict
from services.ops.handlers.reconciling import Reconciler
from services.ops.handlers.watching import Watch
from services.ops.store import alarms, desk
from services.ops.store import journal as journal_store
from shared import metrics
from shared.service import Service

KINDS = ("gap", "double", "overdue", "unheard", "missing_queue", "doctor")


async def set_gauges(service: Service, watch: Watch, reconciler: Reconciler) -> None:
    """Set them as they are at this moment; flow and ledger as they were seen last, seconds ago."""
    async with service.pool.acquire() as connection:
        waiting = await desk.open_counts(connection)
        raised = await alarms.counts(connection)
        head = await journal_store.head(connection)
    for gauge in (metrics.DESK_OPEN, metrics.DESK_OLDEST, metrics.QUEUE_MESSAGES, metrics.QUEUE_CONSUMERS):
        gauge.clear()
    for queue, facts, oldest_at in waiting:
        metrics.DESK_OPEN.labels(queue).set(facts)
        metrics.DESK_OLDEST.labels(queue).set(oldest_at.timestamp())
    for kind in KINDS:
        metrics.ALARMS.labels(kind).set(raised.get(kind, 0))
    metrics.JOURNAL_ENTRIES.set(head.entries)
    metrics.JOURNAL_WRITTEN.set(0 if head.written_at is None else head.written_at.timestamp())
    said = Verdict.UNKNOWN if reconciler.report is None else reconciler.report.verdict
    for verdict in Verdict:
        metrics.LEDGER_VERDICT.labels(verdict).set(verdict is said)
    if reconciler.report is not None:
        for column in Column:
            metrics.LEDGER_LINES.labels(column).set(reconciler.report.columns.get(column, 0))
        metrics.LEDGER_DIFFERENCES.set(len(reconciler.report.differences))
    if watch.flow is not None:
        metrics.BROKER_ANSWERS.set(watch.flow.queues is not None)
        for one in watch.flow.queues or ():
            metrics.QUEUE_MESSAGES.labels(one.queue).set(one.messages)
            metrics.QUEUE_CONSUMERS.labels(one.queue).set(one.consumers)
        for name, state in watch.flow.services.items():
            metrics.DOOR_UP.labels(name).set(state is not None)
