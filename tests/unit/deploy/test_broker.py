"""Passwords reach the broker as hashes only."""

from deploy.broker.management import is_password, password_hash


def test_the_hash_is_the_one_of_the_brokers_manual() -> None:
    """The worked example of RabbitMQ's page on passwords: salt 908DC60A, password test12."""
    found = password_hash("test12", bytes.fromhex("908DC60A"))

    assert found == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


def test_a_hash_knows_its_password_and_no_other() -> None:
    known = password_hash("right")

    assert is_password("right", known)
    assert not is_password("wrong", known)
