"""An order becomes a PDF, by Typst and in memory. Runs in the press's process: Typst holds the interpreter's lock.

Both papers are PDF/A-3a (ISO 19005-3, the certificate carries its signed data) and PDF/UA-1 (ISO 14289-1): tagged, with
every face embedded. Faces come from a wheel and from Typst itself, never from the machine; nothing is fetched.
"""

import json
from io import BytesIO
from pathlib import Path
from typing import Final

import segno
import typst

from services.issuer.papers.lettering import FACES, fit

STANDARDS: Final[list["typst.PDFStandard"]] = ["a-3a", "ua-1"]

TEMPLATES: Final = Path(__file__).parent / "templates"


class Setter:
    """Typst with its faces and templates, ready for one order after another."""

    def __init__(self) -> None:
        faces = typst.Fonts(include_system_fonts=False, font_paths=[str(face.parent) for face in FACES[:1]])
        self._typst = typst.Compiler(root=str(TEMPLATES), font_paths=faces, ignore_system_fonts=True)

    def set(self, order: bytes) -> bytes:
        """The paper as a PDF: the same bytes for the same order.

        Raises:
            typst.TypstError: if a template is wrong; its message may hold what was to be printed.
        """
        read = json.loads(order)
        given = {**read["given"], "shown": fit(read["given"]["shown"])}
        if read["paper"] == "notice":
            given["qr"] = _qr(given["page"])
        made = self._typst.compile(
            input=str(TEMPLATES / f"{read['paper']}.typ"),
            format="pdf",
            sys_inputs={"given": json.dumps(given, ensure_ascii=False)},
            pdf_standards=STANDARDS,
            timestamp=read["at"],
        )
        if not isinstance(made, bytes):
            raise TypeError("Typst gave something else than one PDF.")
        return made


def _qr(page: str | None) -> str | None:
    if page is None:
        return None
    drawn = BytesIO()
    segno.make_qr(page, error="m").save(drawn, kind="svg", border=4, dark="#000", light="#fff", xmldecl=False)
    return drawn.getvalue().decode()
