"""The notifier as the program it is."""

from shared.work import unit_of_work
from tests.conftest import Servers
from tests.service.living import living
from tests.service.notifier.mailing import issued, new_number
from tests.service.notifier.program import started
from tests.unit.simulators.running import Running


async def test_the_program_starts_sends_and_stops_without_telling_the_address(
    emptied: Servers, mailbox: Running
) -> None:
    environment = {
        "PORTALS_FILE": str(emptied.portals_file),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mailbox.facts["smtp_port"]),
        "MAIL_FROM": "電子保証 <denshi-hosho@hosho.example>",
    }
    number, address = new_number(), "program@kensetsu.example"
    async with living(emptied, "issuer") as issuer, started(emptied, "notifier", environment) as program:
        async with unit_of_work(issuer.desk()) as work:
            work.announce(
                issued(number, address), subject=f"{number}/1", occurrence="1", correlation=f"portal-a/A-{number}"
            )
        called = await program.logged("errand.called")
    mails = mailbox.call("GET", f"/messages?to={address}").json()["messages"]

    assert called["outcome"] == "settled"
    assert len(mails) == 1
    assert program.code == 0
    assert address not in str(program.lines)
