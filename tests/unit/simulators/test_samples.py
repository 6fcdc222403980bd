"""After: samples are the same for the same seed, right where they say so, and wrong where they say so."""

import json
from itertools import islice
from random import Random

import pytest

from simulators.portal.faults import FAULTS
from simulators.portal.samples import Sample, accepted, example, rejected, samples, with_mail, with_platform

COUNT = 300


@pytest.fixture(scope="module")
def made() -> list[Sample]:
    return list(islice(samples("portal-a", 7), COUNT))


def test_a_seed_gives_the_same_samples_again(made: list[Sample]) -> None:
    assert list(islice(samples("portal-a", 7), COUNT)) == made
    assert list(islice(samples("portal-a", 8), COUNT)) != made


def test_samples_are_varied(made: list[Sample]) -> None:
    applications = [sample.application for sample in made]
    lines = [tuple((line["kind"], line["certificate_form"]) for line in one["guarantees"]) for one in applications]

    assert len({one["application_id"] for one in applications}) == COUNT
    assert len(set(lines)) >= 5
    assert any(one["contractor"]["jv_name"] for one in applications)
    assert any(one["contract"]["fiscal_year_amount"] for one in applications)
    assert any(one["contract"]["contract_date"].startswith("令和") for one in applications)
    assert {len(sample.faults) for sample in made} >= {0, 1, 2, 3}


def test_accepted_samples_keep_the_rules_on_amounts(made: list[Sample]) -> None:
    for sample in made:
        contract = sample.application["contract"]
        if not sample.accepted:
            continue
        for line in sample.application["guarantees"]:
            if line["kind"] == "advance_payment":
                share = 40 if contract["works_kind"] == "construction" else 30
                assert line["amount"] * 100 <= (contract["fiscal_year_amount"] or contract["price"]) * share
                assert line["depository"]
            else:
                assert line["amount"] * 100 >= contract["price"] * (30 if contract["low_bid"] else 10)
        assert contract["works_from"] <= contract["works_until"]


def test_every_fault_points_into_the_application_and_changes_it(made: list[Sample]) -> None:
    seen: set[str] = set()
    for sample in made:
        for fault in sample.faults:
            place: object = sample.application
            for step in fault.pointer.split("/")[1:]:
                place = place[int(step)] if isinstance(place, list) else place[step]  # type: ignore[index]
            seen.add(fault.what)

    assert len(seen) == len(FAULTS)


def test_spoiling_leaves_the_given_application_alone() -> None:
    application = accepted(Random(1), "portal-a", "A-1")
    before = json.dumps(application)
    spoilt = rejected(Random(2), application, 2)

    assert json.dumps(application) == before
    assert len(spoilt.faults) == 2


def test_markers_go_where_the_outside_reads_them() -> None:
    application = example("portal-a", "A-1")
    marked = with_mail(with_platform(application, "503x2", "reset-after"), "smtp-450")

    assert marked["contract"]["project_name"].endswith(" [platform:503x2] [platform:reset-after]")
    assert marked["completion_mail"] == {"wanted": True, "address": "smtp-450+A-1@kensetsu.example"}
    assert application["guarantees"][0]["amount"] == 20_000_000
