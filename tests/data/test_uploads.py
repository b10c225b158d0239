"""Uploaded files are kept as they came, once, within limits."""

import pytest

from data.settings import Settings
from data.store import ReadOnly, Store
from data.uploads import UploadRefused, keep

MB = 1_000_000


def test_same_content_is_kept_once(store, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n")
    first, second = keep(store, path, "a.csv", "ann"), keep(store, b"a,b\n1,2\n", "b.csv")
    assert first.upload_id == second.upload_id and first.path.read_bytes() == b"a,b\n1,2\n"
    assert store.frame("SELECT name, author, bytes FROM uploads").values.tolist() == [["a.csv", "ann", 8]]


def test_too_large_a_file_is_refused_with_the_limit(home):
    store = Store.open(Settings(home=home, max_upload_mb=1))
    with pytest.raises(UploadRefused, match="at most 1 MB"):
        keep(store, b"x" * (MB + 1), "x.csv")
    store.close()


def test_a_full_quota_is_said(home):
    store = Store.open(Settings(home=home, upload_quota_mb=1))
    keep(store, b"x" * (MB - 10), "x.csv")
    with pytest.raises(UploadRefused, match="RIDGEPOINT_UPLOAD_QUOTA_MB"):
        keep(store, b"y" * 100, "y.csv")
    keep(store, b"x" * (MB - 10), "x.csv")
    store.close()


def test_a_store_that_only_reads_keeps_nothing(home):
    store = Store.open(Settings(home=home, read_only=True))
    with pytest.raises(ReadOnly):
        keep(store, b"x", "x.csv")
    assert not (home / "uploads").exists() or not any((home / "uploads").rglob("*"))
    store.close()
