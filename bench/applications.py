"""The applications that every contender gets: one electronic line each, a mail wished, all of them to be accepted."""

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any, Final

from simulators.portal.samples import accepted

PORTAL: Final = "portal-c"
FORMS: Final = 100
"""Different forms in the load; an application is one of them with an id and an address of its own."""


def address_of(application_id: str) -> str:
    """Where the mail about an application goes; no two applications share an address."""
    return f"{application_id}@kensetsu.example"


def applications(prefix: str, count: int) -> Iterator[tuple[str, bytes]]:
    """So many applications as (id, body); the same for the same prefix."""
    forms = [form for form, _ in zip(_forms(), range(FORMS), strict=False)]
    for number in range(count):
        application_id = f"{prefix}-{number:06d}"
        form = deepcopy(forms[number % FORMS])
        form["application_id"] = application_id
        form["completion_mail"] = {"wanted": True, "address": address_of(application_id)}
        yield application_id, json.dumps(form, ensure_ascii=False).encode()


def _forms() -> Iterator[dict[str, Any]]:
    dice = Random(1)  # Repeatable on purpose; nothing here is secret.
    while True:
        form = accepted(dice, PORTAL, "bench")
        lines = [line for line in form["guarantees"] if line["kind"] == "advance_payment"]
        if len(lines) == 1 and lines[0]["certificate_form"] == "electronic":
            form["guarantees"] = lines
            yield form
