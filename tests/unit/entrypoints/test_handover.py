"""What a supervisor hands over to its next version, and when that is let in at all."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.persistence import schema
from entrypoints.handover import AdoptedWorker, Handover, is_rehearsal, received, rehearse
from entrypoints.settings.model import Settings
from tests.migrated import copy_migrated_sqlite

VARIABLE = "OPEN_MODEL_GATEWAY_HANDOVER"


def test_what_is_left_is_received_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, '{"listener": 5, "alive": [7, 9], "workers": [40, 41], "added_later": true}')

    assert not is_rehearsal()
    assert received() == Handover(5, (7, 9), (40, 41))
    assert received() is None
    assert VARIABLE not in os.environ  # or each worker's children would have it


def test_a_version_is_let_in_where_the_running_one_may_stay(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    copy_migrated_sqlite(tmp_path / "omg.db")

    assert rehearse(settings) == 0


def test_a_version_is_kept_out_where_it_takes_away_what_the_running_one_uses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data_dir=tmp_path)
    asyncio.run(schema.migrate(settings.database, "0008"))

    assert rehearse(settings) == 1
    assert "see 'omg db upgrade --plan'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_worker_of_the_version_before_is_known_by_its_number_until_it_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    worker = AdoptedWorker(child.pid)

    assert worker.is_alive()
    worker.terminate()
    worker.join()

    assert (worker.is_alive(), worker.exitcode) == (False, -15)
    child.wait()
