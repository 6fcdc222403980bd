"""Pages as a browser takes them, for tests that look at words, elements and labels."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """A page: its words, and its elements with their attributes in the order they stand in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.words += " " if tag in ("th", "td") else ""

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def fields(self) -> list[dict[str, str | None]]:
        """What people fill in."""
        shown = [*self.all("input"), *self.all("select"), *self.all("textarea")]
        return [one for one in shown if one.get("type") != "hidden"]

    @property
    def addresses(self) -> list[str]:
        """Everything that the page leads to or loads."""
        return [given[name] or "" for _, given in self.elements for name in ("href", "src", "action") if name in given]

    def assert_in_order(self) -> None:
        """Holds for every page here: Japanese, a skip link, one heading, labelled fields, no other host, no script."""
        labelled = {one.get("for") for one in self.all("label")}

        assert self.all("html") == [{"lang": "ja"}]
        assert self.all("a")[0]["href"] == "#main"
        assert len(self.all("h1")) == len(self.all("main")) == 1
        assert {one.get("id") for one in self.fields} <= labelled
        assert all(address.startswith(("/", "#")) for address in self.addresses)
        assert not self.all("script")
        assert not any(name.startswith("on") for _, given in self.elements for name in given)
