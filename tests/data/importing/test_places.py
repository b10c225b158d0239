"""Countries, addresses and coordinates."""

import pytest

from data.importing.places import coordinates, country, degrees, split_location


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("USA", "United States"),
        ("U.S.", "United States"),
        ("PRC", "China"),
        ("AE", "United Arab Emirates"),
        ("NA", "Namibia"),
        ("Deutschland", "Germany"),
    ],
)
def test_countries(text, name):
    assert country(text) == name


def test_every_shipped_country_is_its_own_name():
    from data import shipped

    names = {row["country"] for row in shipped.rows("clusters") if row["country"]}
    assert {name for name in names if country(name) not in (name, None)} == set()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Memphis, Tennessee, U.S.", {"country": "United States", "region": "Tennessee", "city": "Memphis"}),
        ("5502 Spinks Rd\nAbilene, TX 79601\nUnited States", {"country": "United States", "region": "Texas", "city": "Abilene"}),
        ("Jülich\nGermany", {"country": "Germany", "city": "Jülich"}),
        ("China", {"country": "China"}),
        ("somewhere", {}),
    ],
)
def test_addresses(text, parts):
    assert split_location(text) == parts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("32°29'59\"N ", 32.499722),
        (" 101°18'43\"W", -101.311944),
        ("41°11'6.6732\"N", 41.185187),
        ("35° 3.6' N", 35.06),
        ("N48 51 24", 48.856667),
        ("-90.1", -90.1),
    ],
)
def test_degrees(text, value):
    assert degrees(text) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "pair"),
    [("35°3′36″N 90°9′23″W", (35.06, -90.156389)), ("24.154°N 54.444°E", (24.154, 54.444)), ("35.06, -90.16", (35.06, -90.16))],
)
def test_coordinates(text, pair):
    assert coordinates(text) == pytest.approx(pair, abs=1e-6)


@pytest.mark.parametrize("text", ["", "Memphis", "35", "1 2 3 4 5 6 7"])
def test_no_coordinates(text):
    assert coordinates(text) is None
