"""One cell of a date column: the first day it names, how precise it is, and what cannot be told."""

from __future__ import annotations

import datetime
import re
import unicodedata
from dataclasses import dataclass

from data.importing.text import BROKEN_REFERENCES, clean, is_missing, without_footnotes

FIRST_YEAR, LAST_YEAR = 1940, 2100
SERIAL_EPOCH = datetime.date(1899, 12, 30)  # day 1 is 1900-01-01 in spreadsheets that keep the false leap day of 1900
MONTH_NAMES = {
    1: "jan january januar jänner janvier janv enero ene gennaio gen janeiro januari 1月 январь января stycznia styczeń",
    2: "feb february februar février fevrier févr fevr fév febrero febbraio fevereiro fev februari февраль февраля lutego luty",
    3: "mar march märz maerz mrz mars marzo março marco maart marts март марта marca marzec",
    4: "apr april avril avr abril abr aprile апрель апреля kwietnia kwiecień",
    5: "may mai mayo maggio maio mei mag maj май мая maja",
    6: "jun june juni juin junio giugno junho giu июнь июня czerwca czerwiec",
    7: "jul july juli juillet juil julio luglio julho lug июль июля lipca lipiec",
    8: "aug august août aout agosto ago augustus август августа sierpnia sierpień",
    9: "sep sept september septembre septiembre settembre setembro set сентябрь сентября września wrzesień",
    10: "oct october oktober okt octobre octubre ottobre outubro ott out октябрь октября października październik",
    11: "nov november novembre noviembre novembro ноябрь ноября listopada listopad",
    12: "dec december dezember dez décembre decembre déc diciembre dic dicembre dezembro декабрь декабря grudnia grudzień",
}
MONTHS = {name: number for number, names in MONTH_NAMES.items() for name in names.split()}
QUARTER = re.compile(
    r"^(?:q([1-4])[ /'’-]*(\d{2,4})|(\d{4})[ /-]*q([1-4])|([1-4])q[ /'’-]*(\d{2,4})|([1-4])\. ?(?:quartal|quarter|trimestre) (\d{4})"
    r"|t([1-4])[ /'’-]*(\d{2,4})|([1-4])t[ /'’-]*(\d{2,4})|(\d{4})[ /-]*t([1-4])|(\d{4})年? ?第?([1-4一二三四]) ?(?:季度|四半期))$"
)
FISCAL = re.compile(r"fy|\bfq|年度")
FISCAL_PARTS = re.compile(
    r"^(?:f?(?:q([1-4])|([1-4])q) ?[/'’-]? ?(?:fy)? ?'?(\d{4}|\d{2})|fy ?'?(\d{4}|\d{2}) ?[/-]? ?(?:f?q([1-4])|([1-4])q)?"
    r"|(\d{4})年度 ?(?:第?([1-4]) ?四半期)?)$"
)
WEEK = re.compile(r"^(?:(?:kw|cw|wk|week|w) ?(\d{1,2})[ /.-]+(\d{4}|\d{2})|(\d{4})[ -]?w(\d{1,2}))$")
HALF = re.compile(
    r"^(?:h([12])(?:[ /'’-]+|(?=\d{4}))(\d{2,4})|(\d{4})[ /-]*h([12])|"
    r"([12])h[ /'’-]*(\d{2,4})|([12])\. ?(?:halbjahr|half|semestre) (\d{4}))$"
)
WORDS = re.compile(
    r"\b(?:by|from|since|until|before|after|around|about|circa|ca|c|approx(?:imately)?|est|estimated|expected|exp|planned|plan|target|"
    r"early|mid|late|end|start|beginning|spring|summer|autumn|fall|winter|frühjahr|frühling|sommer|herbst|printemps|été|automne|hiver|of|in|the|cy|calendar|year|ab|seit|bis|ende|anfang|mitte|"
    r"geplant|voraussichtlich|prévu|fin|début|de|del|di)\b\.?|[~≈()?]"
)
UNSURE = re.compile(
    r"[~≈?]|\b(?:by|around|about|circa|ca|c|approx\w*|est\w*|expected|exp|planned|plan|target|early|mid|late|end|geplant|prévu|spring|summer|autumn|fall|winter|frühjahr|herbst)\b|年[底初末中内]"
    r"|(?<=\d)e$"
)
PLANNED = re.compile(r"\b(?:planned|plan|expected|exp|target|proposed|geplant|prévu)\b")


@dataclass(frozen=True)
class DateValue:
    """What one cell says: `date` is the first day named; `precision` is day, week, month, quarter, half or year."""

    date: datetime.date | None = None
    precision: str = "day"
    unsure: bool = False
    planned: bool = False
    ambiguous: bool = False
    serial: bool = False
    fiscal: bool = False
    warning: str = ""
    error: str = ""


def parse(text: str, order: str = "", fiscal_2025: datetime.date | None = None) -> DateValue:
    """Read one cell of a date column; `order` ("day-first" or "month-first") settles dates such as 03/04/2025.

    `fiscal_2025` is the first day of the fiscal year 2025; without it fiscal years are taken for calendar years, and marked.

    Dates with a time keep the day as written. Day serials of spreadsheets (45537 = 2024-09-02) are read.
    """
    shown = clean(text)
    if is_missing(shown):
        return DateValue()
    if shown.upper().startswith(BROKEN_REFERENCES):
        return DateValue(error=f"{shown[:20]} is a broken spreadsheet reference, not a date")
    body = unicodedata.normalize("NFKC", without_footnotes(shown)).casefold()
    body = " ".join(re.sub(r"[–—−]", "-", body).split()).strip(" ,;")
    planned, unsure = bool(PLANNED.search(body)), bool(UNSURE.search(body))
    plain = re.sub(r"年[底初末中内]$", "年", re.sub(r"(?<=\d)e$", "", body))
    fiscal = _fiscal(" ".join(WORDS.sub(" ", plain).split()).strip(" ,;.-"), fiscal_2025) if FISCAL.search(plain) else None
    if fiscal is not None:
        return DateValue(fiscal[0], fiscal[1], unsure, planned, fiscal=True)
    parts = _exact(plain, order) or _exact(" ".join(WORDS.sub(" ", plain).split()).strip(" ,;.-"), order)
    if parts is None:
        return DateValue(error="not a date (accepted: 2025-02-13, 13 Feb 2025, Feb 2025, Q3 2025, 2025)")
    if isinstance(parts, str):
        return DateValue(ambiguous=True, unsure=unsure, planned=planned)
    year, month, day, precision, warning = parts
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return DateValue(error=f"the year {year} is outside {FIRST_YEAR} to {LAST_YEAR}")
    try:
        date = datetime.date(year, month, day)
    except ValueError:
        return DateValue(error="there is no such day in the calendar")
    return DateValue(date, precision, unsure, planned, serial=warning == "serial", warning="" if warning == "serial" else warning)


def until(value: DateValue) -> datetime.date | None:
    """Return the last day of the period a cell names, or None where it names none."""
    months = {"month": 1, "quarter": 3, "half": 6, "year": 12}.get(value.precision)
    if value.date is None or months is None:
        return value.date + datetime.timedelta(days=6) if value.date and value.precision == "week" else value.date
    return _months_later(value.date, months) - datetime.timedelta(days=1)


def _months_later(day: datetime.date, months: int) -> datetime.date:
    month = day.year * 12 + day.month - 1 + months
    return datetime.date(month // 12, month % 12 + 1, 1)


def _fiscal(body: str, first_day: datetime.date | None) -> tuple[datetime.date, str] | None:
    """Return the first day and the precision of a fiscal year or quarter: "FY25Q3", "Q4 FY2026", "FQ1'27"."""
    match = FISCAL_PARTS.match(body)
    if not match:
        return None
    quarter = next((group for group in (match[1], match[2], match[5], match[6], match[8]) if group), "")
    year = _year(match[3] or match[4] or match[7])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    start = first_day or datetime.date(2025, 1, 1)
    return _months_later(start, 12 * (year - 2025) + 3 * (int(quarter or 1) - 1)), "quarter" if quarter else "year"


Parts = tuple[int, int, int, str, str]


def _exact(body: str, order: str) -> Parts | str | None:
    return _iso(body) or _number(body) or _period(body) or _named_month(body) or _slashed(body, order)


def _iso(body: str) -> Parts | None:
    match = re.match(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[t ]\d{1,2}:\d{2}.*)?$", body)
    if match:
        return int(match[1]), int(match[2]), int(match[3]), "day", ""
    match = re.match(r"^(\d{4})(?:[-/](\d{1,2})|\.(\d{2}))$", body)
    if match and 1 <= int(match[2] or match[3]) <= 12:
        return int(match[1]), int(match[2] or match[3]), 1, "month", ""
    match = re.match(r"^(\d{4})[年년] ?(?:(\d{1,2})[月월])? ?(?:(\d{1,2})[日일]?)?$", body)
    if match:
        return int(match[1]), int(match[2] or 1), int(match[3] or 1), "day" if match[3] else "month" if match[2] else "year", ""
    match = re.match(r"^(\d{1,2})[/.-](\d{4})$", body)
    if match and 1 <= int(match[1]) <= 12:
        return int(match[2]), int(match[1]), 1, "month", ""
    return None


def _number(body: str) -> Parts | None:
    match = re.match(r"^(\d{4,5})(?:\.0+)?$", body)
    if match:
        number = int(match[1])
        if FIRST_YEAR <= number <= LAST_YEAR:
            return number, 1, 1, "year", ""
        if 20_000 <= number <= 73_050:
            day = SERIAL_EPOCH + datetime.timedelta(days=number)
            return day.year, day.month, day.day, "day", "serial"
        return (number, 1, 1, "year", "") if len(match[1]) == 4 else None
    match = re.match(r"^(\d{5})\.\d+$", body)
    if match and 20_000 <= int(match[1]) <= 73_050:
        day = SERIAL_EPOCH + datetime.timedelta(days=int(match[1]))
        return day.year, day.month, day.day, "day", "serial"
    match = re.match(r"^(20\d{2})(\d{2})(\d{2})$", body)
    return (int(match[1]), int(match[2]), int(match[3]), "day", "") if match else None


def _period(body: str) -> Parts | None:
    compact = re.sub(r"^(?:cy)? ?'?(\d{2}|\d{4}) ?q([1-4])$", r"q\2 \1", body)
    match = QUARTER.match(compact)
    if match:
        found = [group for group in match.groups() if group]
        quarter, year = (found[1], found[0]) if len(found[0]) == 4 else (found[0], found[1])
        quarter = quarter.translate(str.maketrans("一二三四", "1234"))
        return _year(year), 3 * int(quarter) - 2, 1, "quarter", ""
    match = WEEK.match(compact)
    if match:
        week, year = int(match[1] or match[4]), _year(match[2] or match[3])
        if 1 <= week <= datetime.date(min(max(year, 1), 9999), 12, 28).isocalendar().week:
            monday = datetime.date.fromisocalendar(year, week, 1)
            return monday.year, monday.month, monday.day, "week", ""
    match = HALF.match(compact)
    if match:
        found = [group for group in match.groups() if group]
        half, year = (found[1], found[0]) if match[3] else (found[0], found[1])
        return _year(year), 6 * int(half) - 5, 1, "half", ""
    match = re.match(r"^(\d{4}) ?[-/] ?(\d{2}|\d{4})$", body)
    if match and int(match[2][-2:]) in ((int(match[1]) + step) % 100 for step in range(1, 7)):
        return int(match[1]), 1, 1, "year", "a span of years: the first is taken"
    match = re.match(r"^(?:cy)? ?(\d{4})e?$", body)
    return (int(match[1]), 1, 1, "year", "") if match else None


def _named_month(body: str) -> Parts | None:
    words = re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", body))
    months = [MONTHS[word] for word in words if word in MONTHS]
    numbers = [word for word in words if word.isdigit()]
    strange = [word for word in words if not word.isdigit() and word not in MONTHS and word not in _WEEKDAYS]
    if len(months) != 1 or strange or not numbers or len(numbers) > 2:
        return None
    if len(numbers) == 1:
        number = numbers[0]
        return (_year(number), months[0], 1, "month", "") if len(number) in (2, 4) else None
    day, year = (numbers[1], numbers[0]) if len(numbers[0]) == 4 else (numbers[0], numbers[1])
    return (_year(year), months[0], int(day), "day", "") if len(day) <= 2 and len(year) in (2, 4) else None


_WEEKDAYS = frozenset("mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday".split())  # noqa: SIM905


def _slashed(body: str, order: str) -> Parts | str | None:
    match = re.match(r"^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[t ,]+\d{1,2}:\d{2}.*)?$", body)
    if not match:
        return None
    first, second, year = int(match[1]), int(match[3]), _year(match[4])
    if first > 12 and second > 12:
        return year, first, second, "day", ""
    if first > 12 or first == second:
        return year, second, first, "day", ""
    if second > 12:
        return year, first, second, "day", ""
    if order == "month-first" and match[2] != ".":
        return year, first, second, "day", ""
    if order == "day-first" or match[2] == ".":
        return year, second, first, "day", ""
    return "ambiguous"


def _year(digits: str) -> int:
    return int(digits) + 2000 if len(digits) == 2 else int(digits)


def shown_order(texts: list[str]) -> str:
    """Tell the order that a column's dates show: day-first, month-first, both, or nothing ("")."""
    day_first = month_first = False
    for text in texts:
        match = re.match(r"^\s*(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d{2})\b", text)
        if match:
            day_first |= int(match[1]) > 12 >= int(match[3])
            month_first |= int(match[3]) > 12 >= int(match[1])
    return "both" if day_first and month_first else "day-first" if day_first else "month-first" if month_first else ""
