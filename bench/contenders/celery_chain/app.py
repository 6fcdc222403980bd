"""The tasks, and how the chain begins."""

import hashlib
import json
import smtplib
from datetime import UTC, date, datetime
from typing import Any, Final

import psycopg
import requests
from celery import Celery, chain
from kombu.entity import Exchange

from bench.applications import PORTAL
from bench.contenders import work
from bench.contenders.celery_chain import rows
from bench.contenders.mail import mail_about
from bench.contenders.surroundings import Surroundings
from bench.contenders.work import Json
from shared import topology

QUEUE: Final = "bench"
PERSISTENT: Final = 2

surroundings = Surroundings.read()
app = Celery("bench", broker=surroundings.broker_url)
app.conf.update(
    task_default_queue=QUEUE,
    task_default_queue_type="quorum",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=8,
    worker_send_task_events=False,
)
answers = Exchange(topology.PORTALS, type="topic", durable=True, no_declare=True)  # type: ignore[no-untyped-call]


class Kept:
    """What one worker process keeps open, made when it is first needed."""

    connection: "psycopg.Connection[tuple[Any, ...]] | None" = None
    http: requests.Session | None = None
    smtp: smtplib.SMTP | None = None


def _connection() -> "psycopg.Connection[tuple[Any, ...]]":
    if Kept.connection is None or Kept.connection.closed:
        Kept.connection = psycopg.connect(surroundings.database_url, autocommit=True)
    return Kept.connection


def _http() -> requests.Session:
    if Kept.http is None:
        Kept.http = requests.Session()
        Kept.http.headers["Authorization"] = "Bearer bench"
    return Kept.http


def _smtp() -> smtplib.SMTP:
    if Kept.smtp is None:
        Kept.smtp = smtplib.SMTP(surroundings.host, surroundings.smtp_port)
    return Kept.smtp


def _answer(kind: str, name: str, data: Json) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        key = topology.answer_key(PORTAL, kind)
        producer.publish(
            data,
            exchange=answers,
            routing_key=key,
            delivery_mode=PERSISTENT,
            correlation_id=name,
            headers=work.answer_headers(kind, name, _now()),
            mandatory=True,
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@app.task
def take_in(body: str) -> Json:
    """An application comes in."""
    form: Json = json.loads(body)
    name, told = form["application_id"], work.answer_data(form, _now())
    with _connection().transaction():
        _connection().execute(rows.SUBMISSION, (PORTAL, name, name, json.dumps(told), body.encode()))
    _answer(work.ACCEPTED, name, told)
    return {**told, "application": form}


@app.task
def create(accepted: Json) -> Json:
    """An accepted application becomes a guarantee and a certificate."""
    form, name, at = accepted["application"], accepted["application_id"], _now()
    with _connection().transaction():
        (serial,) = _connection().execute(rows.SERIAL).fetchone() or (0,)
        number = work.number_of(serial)
        certificate = json.dumps(work.certificate_of(form, number, at), ensure_ascii=False)
        _connection().execute(rows.APPLICATION, (PORTAL, name, json.dumps(form)))
        if _connection().execute(rows.GUARANTEE, (number, PORTAL, name, *_guarantee(form))).fetchone() is None:
            number, certificate = _connection().execute(rows.KNOWN, (PORTAL, name)).fetchone() or ("", "")
        else:
            _connection().execute(rows.VERSION, (number, certificate, form["completion_mail"]["address"]))
    _answer(work.STATUS_CHANGED, name, work.status_data(name, number, work.IN_TRANSIT, at))
    return work.created_data(form, number, certificate, at)


def _guarantee(form: Json) -> tuple[Any, ...]:
    contractor, contract, line = form["contractor"], form["contract"], form["guarantees"][0]
    return (
        contractor["customer_number"],
        contractor["name"],
        contract["obligee_code"],
        contract["obligee_name"],
        contract["project_name"],
        contract["price"],
        line["amount"],
        line["depository"],
        date.fromisoformat(contract["works_until"]),
        work.auth_key(),
    )


@app.task
def post(created: Json) -> Json:
    """A certificate is posted."""
    certificate, number = created["certificate"].encode(), created["guarantee_number"]
    body = {
        **json.loads(certificate),
        "auth_key": created["auth_key"],
        "content_sha256": hashlib.sha256(certificate).hexdigest(),
    }
    url = f"http://{surroundings.host}:{surroundings.http_port}/v1/certificates"
    answered = _http().post(url, json=body, headers={"Idempotency-Key": f'"{number}/1"'}, timeout=30)
    answered.raise_for_status()
    told: Json = answered.json()
    with _connection().transaction():
        _connection().execute(rows.POSTED, (number, certificate, told["arrived_at"], told["certificate_id"]))
    return work.arrived_data(created, told)


@app.task
def issue(arrived: Json) -> Json:
    """The platform's arrival time becomes the time of issue."""
    number, name, at = arrived["guarantee_number"], arrived["application_id"], arrived["arrived_at"]
    with _connection().transaction():
        guarantee = _connection().execute(rows.ISSUED, (at, number)).fetchone() or ("", "", "")
        (address,) = _connection().execute(rows.ARRIVED, (at, arrived["certificate_id"], number)).fetchone() or ("",)
    _answer(work.ISSUED, name, work.shown_issued_data(arrived))
    _answer(work.STATUS_CHANGED, name, work.status_data(name, number, work.ACTIVE, _now()))
    said = dict(zip(("contractor_name", "obligee_name", "project_name"), guarantee, strict=True))
    return work.issued_data(arrived, {**said, "mail_address": address})


@app.task
def mail(issued: Json) -> Json:
    """A mail goes out."""
    number, letter = issued["guarantee_number"], mail_about(issued)
    try:
        _smtp().send_message(letter)
    except smtplib.SMTPServerDisconnected:
        Kept.smtp = None
        _smtp().send_message(letter)
    with _connection().transaction():
        address = issued["completion_mail"]["address"]
        _connection().execute(rows.MAIL, (number, address, work.message_id_of(number)))
    return work.sent_data(issued, _now())


@app.task
def note_mail(sent: Json) -> None:
    """The issuer notes that a mail went out."""
    with _connection().transaction():
        _connection().execute(rows.SENT, (sent["guarantee_number"],))


def begin(body: str) -> None:
    """Begin the chain for one application; returns after the broker's confirm."""
    chain(take_in.s(body), create.s(), post.s(), issue.s(), mail.s(), note_mail.s()).apply_async()
