"""The HTTP doors as the office knows them: it sees what came from every portal (contracts, sections 3 and 5)."""

from urllib.parse import quote

from simulators.portal.doors import Doors, Reply


class OfficeDoors(Doors):
    """Calls with the office's bearer token."""

    async def application_of(self, portal: str, application_id: str) -> Reply:
        """Reads a portal's application."""
        url = f"{self._intake}/v1/applications/{quote(application_id, safe='')}"
        return await self._call("GET", url, query={"portal": portal})

    async def key_reveals(self, guarantee_number: str) -> Reply:
        """Lists who looked at a guarantee's key, newest first; never the key."""
        return await self._call("GET", f"{self._issuer}/v1/guarantees/{guarantee_number}/key-reveals")

    async def changes_of(self, guarantee_number: str) -> Reply:
        """Lists what intake answered about a guarantee, newest first, whoever asked."""
        return await self._call("GET", f"{self._intake}/v1/changes", query={"guarantee_number": guarantee_number})
