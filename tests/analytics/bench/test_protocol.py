"""The status of a row: every way a measurement can end."""

import pytest

from analytics.bench import record as records
from analytics.bench.operation import Backend, Call, Case, Operation, Work
from analytics.bench.predict import Ceilings, Spec

pytestmark = pytest.mark.bench
torch = pytest.importorskip("torch", reason="the benchmarks need torch (requirements-bench.txt)")

from analytics.bench.device import Device  # noqa: E402
from analytics.bench.env import facts  # noqa: E402
from analytics.bench.protocol import Session, judge, run_case  # noqa: E402
from analytics.bench.timing import StopRule  # noqa: E402

CASE = Case("toy", {"n": 4096}, "fp32")


@pytest.fixture(scope="module")
def device():
    return Device("cpu")


@pytest.fixture
def session(device):
    ceilings = Ceilings(device.name, "s1", {"read": 20e9, "copy": 10e9}, {"fp32": 50e9}, 1e-6)
    return Session("s1", facts(device), ceilings, rule=StopRule(6, 0.001, 12), seconds=0.05)


def toy(*backends, **options):
    return Operation(
        "toy",
        "Toy",
        lambda suite, kind: [CASE],
        lambda case: Work(case["n"] * 8, case["n"], "copy", "fp32", resident_bytes=case["n"] * 8),
        lambda case, device, seed: {"x": torch.rand(case["n"], generator=device.generator(seed))},
        lambda case, inputs: inputs["x"].double() * 2,
        backends,
        **options,
    )


def good(name="good"):
    return Backend(name, lambda case, inputs, device: Call(lambda: inputs["x"] * 2))


def raising(error):
    def make(case, inputs, device):
        raise error

    return Backend("bad", make)


def only(rows):
    assert len(rows) == 1
    return records.validate(rows[0])


def test_a_right_answer_is_timed_next_to_its_prediction(device, session):
    row = only(run_case(toy(good()), CASE, device, session))
    assert row["status"] in ("ok", "noisy")
    assert row["pred_us"] == pytest.approx(4096 * 8 / 10e9 * 1e6 + 1.0)
    assert row["ratio_pred"] == pytest.approx(row["median_us"] / row["pred_us"])
    assert row["gb_per_s"] == pytest.approx(4096 * 8 / row["median_us"] / 1e3)
    assert row["frac_ceiling"] == pytest.approx(row["gb_per_s"] / 10)
    assert row["timer"] == "wall" and row["checked_after"] is True and row["err_rel_l2"] == 0


def test_a_wrong_answer_is_never_timed(device, session):
    row = only(run_case(toy(Backend("bad", lambda case, inputs, device: Call(lambda: inputs["x"] * 2.1))), CASE, device, session))
    assert row["status"] == "wrong" and row["median_us"] is None
    assert row["err_rel_l2"] == pytest.approx(0.05, rel=1e-3)


def test_an_answer_that_turns_wrong_after_timing_loses_its_time(device, session):
    built = []

    def make(case, inputs, device):
        built.append(1)
        late = len(built) > len(rotating)
        return Call(lambda: inputs["x"] * (3 if late else 2))

    rotating = range(device.rotating_sets(CASE["n"] * 8))
    row = only(run_case(toy(Backend("bad", make)), CASE, device, session))
    assert row["status"] == "wrong" and row["median_us"] is None and "after it" in row["message"]


def test_missing_memory_and_unsupported_are_rows_with_a_sentence(device, session):
    row = only(run_case(toy(Backend("bad", good().make, lambda case, device: "needs a machine from the future")), CASE, device, session))
    assert (row["status"], row["message"]) == ("unsupported", "needs a machine from the future")
    huge = Case("toy", {"n": 10**14}, "fp32")
    row = only(run_case(toy(good()), huge, device, session))
    assert row["status"] == "oom" and "GB, free are" in row["message"]
    row = only(run_case(toy(raising(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"))), CASE, device, session))
    assert row["status"] == "oom"
    row = only(run_case(toy(raising(ZeroDivisionError("in a library\nsecond line"))), CASE, device, session))
    assert (row["status"], row["message"]) == ("failed", "ZeroDivisionError: in a library")


def test_one_bad_backend_does_not_take_the_others_along(device, session):
    rows = run_case(toy(good("a"), raising(RuntimeError("no")), good("b")), CASE, device, session)
    assert [row["status"] in ("ok", "noisy") for row in rows] == [True, False, True]
    assert rows[0]["pair_id"] == rows[2]["pair_id"] and rows[0]["pair_id"] is not None


def test_backends_alternate_a_b_b_a(device, session):
    order = []

    def logged(name):
        def make(case, inputs, device):
            def run():
                order.append(name)
                return inputs["x"] * 2

            return Call(run)

        return Backend(name, make)

    run_case(toy(logged("a"), logged("b")), CASE, device, session)
    blocks = [name for i, name in enumerate(order) if i == 0 or order[i - 1] != name]
    assert "".join(blocks).endswith("aba" + "ab") or "aba" in "".join(blocks)
    timed = "".join(blocks)[-5:]
    assert timed in ("babab", "ababa", "abab", "baba") or "bb" not in timed


def judged(**changes):
    row = {"median_us": 100.0, "iqr_rel": 0.01, "throttle_bits": None, "status": "ok", "message": None, **changes}
    judge(row, Work(4.8e8, 0, "read"), Spec(4.8e12), throttle_before=changes.get("before"))
    return row["status"]


def test_judging_a_time():
    assert judged() == "ok"
    assert judged(median_us=97.0) == "impossible"  # 4.95 TB/s of 4.8
    assert judged(iqr_rel=0.06) == "noisy"
    assert judged(throttle_bits=4, before=0) == "noisy"
    assert judged(throttle_bits=0, before=0) == "ok"


def test_operations_with_their_own_measurement(device, session):
    measured = toy(
        good(),
        measure=lambda case, backend, device, seconds: {"status": "ok", "value_name": "largest_batch", "value": 3.0, "value_pred": 4.0},
    )
    row = only(run_case(measured, CASE, device, session))
    assert (row["status"], row["value"], row["value_pred"], row["median_us"]) == ("ok", 3.0, 4.0, None)

    def fails(case, backend, device, seconds):
        raise OSError("no such driver")

    row = only(run_case(toy(good(), measure=fails), CASE, device, session))
    assert (row["status"], row["message"]) == ("failed", "OSError: no such driver")


def test_asking_for_cuda_without_one_is_a_sentence():
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(ValueError, match="no CUDA device can be used here"):
        Device("cuda")
    with pytest.raises(ValueError, match="device must be cpu, cuda or cuda:N"):
        Device("tpu")
