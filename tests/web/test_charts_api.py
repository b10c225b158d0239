"""Charts over HTTP: every form of every chart, one state, and a sentence for whatever cannot be read."""

import html
import io

import openpyxl
import pandas as pd
import pytest

CHART = "clusters.power"


def listed(client):
    return client.get("/api/charts").json()["charts"]


def test_the_list_tells_each_charts_parameters(client):
    found = {chart["id"]: chart for chart in listed(client)}
    assert CHART in found
    for chart in found.values():
        assert {"id", "title", "page", "params"} <= set(chart)
        assert chart["id"].split(".")[0] == chart["page"]
        assert chart["params"]["type"] == "object"


def test_every_chart_answers_every_form_of_numbers_and_its_receipt(client):
    for chart in listed(client):
        forms = ("json", "csv", "parquet", "xlsx", "html") if chart["id"] == CHART else ("json", "csv", "parquet", "xlsx")
        for form in forms:  # HTML brings 5 MB of library along: once is enough
            answer = client.get(f"/api/charts/{chart['id']}.{form}")
            assert answer.status_code == 200, (chart["id"], form, answer.text[:500])
            assert len(answer.content) > 50
        receipt = client.get(f"/api/charts/{chart['id']}/receipt.json").json()["receipt"]
        assert receipt["formulas"] or receipt["inputs"] or receipt["assumptions"], chart["id"]


def test_forms_agree_with_each_other(client):
    told = client.get(f"/api/charts/{CHART}.json").json()
    exact = pd.read_parquet(io.BytesIO(client.get(f"/api/charts/{CHART}.parquet").content))
    read = pd.read_csv(io.BytesIO(client.get(f"/api/charts/{CHART}.csv").content))
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"/api/charts/{CHART}.xlsx").content))["table"]
    names = [column["name"] for column in told["columns"]]
    assert names == list(exact.columns) == list(read.columns) == [cell.value for cell in sheet[1]]
    assert len(told["rows"]) == len(exact) == len(read) == sheet.max_row - 1
    for column in told["columns"]:
        if column["type"] == "number":
            values = [row[column["name"]] for row in told["rows"]]
            assert [None if pd.isna(v) else v for v in exact[column["name"]]] == values
            assert [None if pd.isna(v) else v for v in read[column["name"]]] == values


def test_the_same_address_gives_the_same_bytes_and_is_not_sent_twice(client):
    first = client.get(f"/api/charts/{CHART}.csv?rev=1")
    assert client.get(f"/api/charts/{CHART}.csv?rev=1").content == first.content
    assert first.headers["x-ridgepoint-revision"] == "1"
    again = client.get(f"/api/charts/{CHART}.csv?rev=1", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"/api/charts/{CHART}.json?rev=1").headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/charts/clusters.powr.csv", 404, "did you mean clusters.power"),
        ("/api/charts/clusters.power.exe", 404, "no form"),
        ("/api/charts/clusters.power", 404, "no form"),
        ("/api/charts/..%2f..%2fetc%2fpasswd.csv", 404, ""),
        ("/api/charts/clusters.power.csv?rev=999999", 404, "revision 999999"),
        ("/api/charts/clusters.power.csv?rev=0", 404, "revision 0"),
        ("/api/charts/clusters.power.csv?rev=abc", 400, "rev='abc'"),
        ("/api/charts/clusters.power.csv?rev=-1", 400, "rev='-1'"),
        ("/api/charts/clusters.power.csv?rev=99999999999999999999", 400, "rev="),
        ("/api/charts/clusters.power.csv?no_such_parameter=1", 400, "no_such_parameter"),
        ("/api/charts/clusters.power.csv?source=epoch+ai+data+centres", 422, "the nearest is Epoch AI, AI Data Centers"),
        ("/api/charts/clusters.power.csv?owners=Google&owners=Amazn", 422, "owners=Amazn: the store has no such name"),
        ("/api/charts/clusters.file.json?cluster=xai-colosus1", 422, "the nearest is xai-colossus1"),
        ("/api/charts/clusters.power.png?theme=pink", 400, "light or dark"),
        ("/api/charts/clusters.power.png?width=99999", 400, "300 to 2,400"),
        ("/api/charts/clusters.power.svg?scale=0", 400, "scale='0'"),
        ("/api/charts/nosuch.chart/receipt.json", 404, "no chart"),
        ("/api/nosuch", 404, "openapi.json"),
        ("/api", 404, "openapi.json"),
        ("/api/charts/a/b/c", 404, ""),
    ],
)
def test_what_cannot_be_read_is_named(client, path, status, said):
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]
    assert "Traceback" not in answer.text


def test_a_value_out_of_range_is_named_with_what_is_accepted(client):
    schema = next(chart for chart in listed(client) if chart["id"] == CHART)["params"]
    numbers = {n: f for n, f in schema["properties"].items() if f.get("type") in ("number", "integer") and "maximum" in f}
    for name, field in numbers.items():
        answer = client.get(f"/api/charts/{CHART}.csv?{name}={field['maximum'] * 10 + 1}")
        assert answer.status_code == 400
        assert name in answer.json()["error"]


def test_a_pages_query_is_read_as_the_page_reads_it(client):
    alone = client.get(f"/api/charts/{CHART}.csv?by=user&rev=1").content
    assert alone != client.get(f"/api/charts/{CHART}.csv?rev=1").content
    assert client.get(f"/api/charts/{CHART}.csv?chart={CHART}&by=user&rev=1&s=aaaaaaaaaaaa&embed=true").content == alone
    assert client.get(f"/api/charts/{CHART}.csv?chart=clusters.other&quantile=3&power.by=user&rev=1").content == alone


def test_wrong_methods_are_refused_with_json(client):
    answer = client.post("/api/charts", json={})
    assert answer.status_code in (404, 405)
    assert "error" in answer.json()


def test_nothing_to_draw_is_said_in_every_form(client):
    said = client.get(f"/api/charts/{CHART}.json?find=nosuchplace").json()
    assert said["words"]["empty"]
    for form in ("csv", "parquet", "xlsx", "html"):
        assert client.get(f"/api/charts/{CHART}.{form}?find=nosuchplace").status_code == 200
    page = html.unescape(client.get(f"/api/charts/{CHART}.html?find=nosuchplace").text)
    assert said["words"]["empty"] in page and "nosuchplace" in page
