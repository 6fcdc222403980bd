"""`hosho` is pressed at three in the morning: it must not load what only one of its commands needs."""

import subprocess
import sys


def test_the_command_line_starts_without_loading_a_service() -> None:
    heavy = {"fastapi", "faststream", "services.issuer", "services.intake"}
    told = f"import sys, deploy.cli; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
