"""Settings: read, listed, and refused in one sentence."""

import pytest

from data.settings import Settings


def test_defaults_and_rows():
    rows = Settings.from_env({"RIDGEPOINT_PORT": "9000", "OTHER": "x"}).rows()
    assert {r["variable"]: r["value"] for r in rows}["RIDGEPOINT_PORT"] == "9000"
    assert all(r["meaning"] for r in rows)


@pytest.mark.parametrize("name, value", [("PORT", "eighty"), ("PORT", "0"), ("READ_ONLY", "maybe"), ("TODAY", "23.11.2026")])
def test_a_bad_value_names_variable_value_and_what_is_accepted(name, value):
    with pytest.raises(ValueError, match=f"RIDGEPOINT_{name}='{value}': .* is accepted"):
        Settings.from_env({f"RIDGEPOINT_{name}": value})


def test_a_misspelt_setting_is_named():
    with pytest.raises(ValueError, match="RIDGEPOINT_HOEM is not a setting"):
        Settings.from_env({"RIDGEPOINT_HOEM": "x"})
