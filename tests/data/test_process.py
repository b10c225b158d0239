"""One store for the process, tidied when it is opened."""

import threading

from data import process
from data.settings import Settings


def test_every_caller_gets_the_same_store_even_at_once(tmp_path):
    settings = Settings(home=tmp_path)
    got = []
    threads = [threading.Thread(target=lambda: got.append(process.the_store(settings))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, got))) == 1
    process.close_all()


def test_what_a_killed_process_left_is_removed_and_what_it_finished_stays(tmp_path):
    left = [tmp_path / "tmp" / "import-x" / "part.parquet", tmp_path / "blobs" / "partial-1", tmp_path / "uploads" / "partial-2"]
    kept = [tmp_path / "blobs" / "ab" / ("ab" * 32), tmp_path / "cache" / "images" / "x.png"]
    for path in left + kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    process.the_store(Settings(home=tmp_path))
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)
    process.close_all()
