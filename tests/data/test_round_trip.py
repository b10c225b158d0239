"""Whatever the store holds survives export and import unchanged."""

import datetime
import shutil

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from data.exporting import export
from data.importing import commit, prepare
from data.importing.text import visible
from data.meta import load_meta
from data.settings import Settings
from data.store import Store, TableChange

# As an import leaves them: in NFC and without invisible characters.
texts = (
    st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs", "Co", "Cn")), min_size=1, max_size=24)
    .map(visible)
    .filter(bool)
)
amounts = st.one_of(st.none(), st.floats(0.001, 99_000, allow_nan=False))
days = st.dates(datetime.date(2001, 1, 1), datetime.date(2025, 12, 31))
rows = st.lists(
    st.tuples(st.from_regex(r"[a-z]{3,8}-[0-9]{1,4}", fullmatch=True), texts, amounts, days),
    min_size=1,
    max_size=5,
    unique_by=lambda r: r[0],
)


@settings(max_examples=4)
@given(rows)
def test_clusters_written_exported_and_imported_elsewhere_are_the_same(template_home, tmp_path_factory, generated):
    folder = tmp_path_factory.mktemp("trip")
    first = Store.open(Settings(home=shutil.copytree(template_home, folder / "first")))
    second = Store.open(Settings(home=shutil.copytree(template_home, folder / "second")))
    put = pd.DataFrame(
        [
            {
                "cluster_id": i, "name": i, "status": "operational", "as_of": d.isoformat(),
                "source": "a test", "power_mw": mw, "quote_or_note": note, "chip_id": "h100-sxm", "confidence": "claim",
            }
            for i, note, mw, d in generated
        ]
    )  # fmt: skip
    try:
        first.apply([TableChange("clusters", put)])
        export(first, folder / "files")
        prepared = prepare(
            folder / "files" / "clusters.csv", table="clusters", store=second, name="clusters.csv", today=second.settings.day()
        )
        assert commit(prepared, second) == 2
        columns = list(load_meta("clusters").columns)
        pd.testing.assert_frame_equal(second.state("clusters", 2)[columns], first.state("clusters", 2)[columns])
    finally:
        first.close()
        second.close()
