"""Every operation on the CPU: right against its reference, and its accounting against published vectors and the tensors it allocates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import accounting
from analytics.bench.operation import Case
from analytics.bench.ops import operations, select
from analytics.bench.ops.attention import DISTRIBUTIONS, lengths
from analytics.bench.ops.experts import SKEWS, rows_per_expert

pytestmark = pytest.mark.bench
torch = pytest.importorskip("torch", reason="the benchmarks need torch (requirements-bench.txt)")

from analytics.bench.device import Device  # noqa: E402
from analytics.bench.protocol import check  # noqa: E402

SMOKE = [(name, case) for name, operation in operations().items() for case in operation.cases("smoke", "cpu")]
CHECKED = [(name, case) for name, case in SMOKE if operations()[name].reference is not None]


@pytest.fixture(scope="module")
def device():
    return Device("cpu")


@pytest.mark.parametrize(("name", "case"), CHECKED, ids=[f"{name}-{i}" for i, (name, _) in enumerate(CHECKED)])
def test_every_backend_that_runs_here_is_right(name, case, device):
    operation = operations()[name]
    ran = 0
    for backend in operation.backends:
        if backend.reason(case, device) is None:
            errors = check(operation, backend, case, device, 3)
            assert errors.fault(operation.tolerance(case)) is None, (backend.name, errors)
            ran += 1
    fp8_or_ragged = case.dtype_kv == "fp8" or case.params.get("lengths", "equal") != "equal"
    assert ran or fp8_or_ragged  # those two run on our kernels only, which test_kernels checks


def test_a_wrong_answer_is_found(device):
    """A backend that leaves one element out, one that returns zeros, and one that writes nothing."""
    from analytics.bench.operation import Backend, Call

    operation = operations()["attn.decode"]
    case = operation.cases("smoke", "cpu")[0]
    good = next(b for b in operation.backends if b.name == "torch-sdpa")

    def spoiled(change):
        def make(case, inputs, device):
            inner = good.make(case, inputs, device)
            return Call(lambda: change(inner.run()))

        return Backend("spoiled", make)

    def one_head_missing(out):
        out[0, 0] = 0
        return out

    for change in (one_head_missing, torch.zeros_like, lambda out: out.fill_(float("nan"))):
        errors = check(operation, spoiled(change), case, device, 3)
        assert errors.fault(operation.tolerance(case)) is not None

    silent = Backend("silent", lambda case, inputs, device: (lambda out: Call(lambda: out, out))(torch.zeros_like(inputs["q"])))
    assert "never written" in check(operation, silent, case, device, 3).fault(1e-2)


def test_values_narrower_than_keys_are_measured_by_what_takes_them_and_refused_by_the_rest(device):
    """Keys of 96 and values of 64: each backend is right or says why it is not run; none reads values as wide as the keys."""
    operation = operations()["attn.decode"]
    for case in (c for c in operation.cases("smoke", "cpu") if "Dv" in c.params):
        assert operation.reference(case, operation.build(case, device, 0)).shape == (2, 8, 64)
        ran = [b.name for b in operation.backends if b.reason(case, device) is None]
        assert ran == ["torch-sdpa"]
    from analytics.bench.ops.decode import _one_width

    assert _one_width("flash-attn")(case, device) == "flash-attn takes values as wide as the keys, not 64 beside 96"
    assert _one_width("flash-attn")(operation.cases("smoke", "cpu")[0], device) is None


#: (operation, parameters, KV dtype, bytes, FLOPs): integers worked out by hand from the shapes.
VECTORS = [
    ("attn.decode", {"B": 1, "S": 1024, "H": 32, "K": 8, "D": 128, "page": 0}, None, 4_194_304 + 16_384, 16_777_216),
    ("attn.decode", {"B": 32, "S": 4096, "H": 32, "K": 8, "D": 128, "page": 64}, None, 536_870_912 + 524_288, 2_147_483_648),
    ("attn.decode", {"B": 32, "S": 4096, "H": 32, "K": 8, "D": 128, "page": 64}, "fp8", 268_435_456 + 524_288, 2_147_483_648),
    ("attn.decode", {"B": 8, "S": 32768, "H": 64, "K": 8, "D": 128, "page": 0}, None, 1_073_741_824 + 262_144, 8_589_934_592),
    ("attn.decode", {"B": 64, "S": 2048, "H": 32, "K": 32, "D": 128, "page": 0}, None, 2_147_483_648 + 1_048_576, 2_147_483_648),
    ("attn.decode", {"B": 64, "S": 8192, "H": 64, "K": 1, "D": 128, "page": 0}, None, 268_435_456 + 2_097_152, 17_179_869_184),
    ("attn.mla", {"B": 128, "S": 4096, "H": 128, "latent": 512, "rope": 64, "page": 64}, None, 603_979_776 + 35_651_584, 146_028_888_064),
    ("attn.mla", {"B": 64, "S": 8192, "H": 16, "latent": 512, "rope": 64, "page": 64}, None, 603_979_776 + 2_228_224, 18_253_611_008),
    ("attn.mla", {"B": 64, "S": 8192, "H": 16, "latent": 512, "rope": 64, "page": 64}, "fp8", 301_989_888 + 2_228_224, 18_253_611_008),
    ("attn.decode", {"B": 16, "S": 8192, "H": 64, "K": 4, "D": 192, "Dv": 128, "page": 0}, None, 335_544_320 + 655_360, 5_368_709_120),
    ("gemm", {"M": 1, "N": 14336, "K": 4096}, None, 117_477_376 - 0, 117_440_512),
    ("gemm", {"M": 256, "N": 14336, "K": 4096}, None, 126_877_696, 30_064_771_072),
    ("gemm", {"M": 8192, "N": 8192, "K": 8192}, None, 402_653_184, 1_099_511_627_776),
]


@pytest.mark.parametrize(("op", "params", "kv", "size", "flops"), VECTORS)
def test_accounting_of_cases_gives_the_published_integers(op, params, kv, size, flops):
    work = operations()[op].account(Case(op, params, "bf16", kv))
    assert (work.bytes_min, work.flops) == (size, flops)


def test_prefill_flops_are_the_exact_triangle():
    """S=8192, H=32, D=128: 4 H D S (S + 1) / 2."""
    case = Case("attn.prefill", {"B": 1, "T": 8192, "past": 0, "H": 32, "K": 8, "D": 128, "Dv": 128})
    assert operations()["attn.prefill"].account(case).flops == 549_822_922_752


def nbytes(*tensors):
    return sum(t.numel() * t.element_size() for t in tensors)


def test_accounting_equals_the_bytes_of_the_tensors(device):
    ops = operations()

    def built(name, **wanted):
        cases = ops[name].cases("smoke", "cpu")
        case = next(c for c in cases if all({**c.params, "dtype": c.dtype, "dtype_kv": c.dtype_kv}.get(k) == v for k, v in wanted.items()))
        return case, ops[name].build(case, device, 0), ops[name].account(case).bytes_min

    for name in ("bw.read", "bw.write"):
        _, inputs, size = built(name)
        assert size == nbytes(inputs["x"])
    _, inputs, size = built("bw.copy")
    assert size == nbytes(inputs["x"], inputs["y"])
    for dtype in ("fp32", "bf16"):
        _, inputs, size = built("gemm", dtype=dtype)
        assert size == nbytes(inputs["x"], inputs["w"], inputs["out"])
    for scaling in ("tensor", "row"):
        _, inputs, size = built("gemm", scaling=scaling)
        assert size == nbytes(*(inputs[n] for n in ("x", "w", "out", "scale_a", "scale_b")))
    _, inputs, size = built("attn.decode", page=0)
    assert size == nbytes(inputs["q"], inputs["q"], inputs["k"], inputs["v"])
    case, inputs, size = built("attn.mla", page=0)
    assert size == nbytes(inputs["q"], inputs["cache"]) + inputs["q"][..., :512].numel() * 2
    case, inputs, size = built("attn.mla", page=0, dtype_kv="fp8")
    assert size == nbytes(inputs["q"], inputs["cache"]) + inputs["q"][..., :512].numel() * 2 and inputs["cache"].element_size() == 1
    case, inputs, size = built("attn.decode", page=0, Dv=64)
    assert size == nbytes(inputs["q"], inputs["k"], inputs["v"]) + case["B"] * case["H"] * 64 * 2
    _, inputs, size = built("attn.prefill", past=0)
    assert size == nbytes(inputs["q"], inputs["q"], inputs["k"], inputs["v"])
    _, inputs, size = built("kv.append")
    assert size == 2 * nbytes(inputs["k_new"], inputs["v_new"])
    case, inputs, size = built("kv.copy")
    assert size == nbytes(inputs["pool"])  # half of the pool read, half written
    case, inputs, size = built("kv.offload")
    assert size == nbytes(inputs["host"])
    case, inputs, size = built("moe.grouped")
    rows = inputs["x"].shape[0]
    assert size == nbytes(inputs["gate_up"], inputs["down"], inputs["x"], inputs["x"]) + rows * 3 * case["ffn"] * 2
    case, inputs, size = built("step", B=1)
    caches = [layer[n] for layer in inputs["layers"] for n in ("k", "v")]
    weights = [layer[n] for layer in inputs["layers"] for n in ("qkv", "out", "gate_up", "down")]
    appended = case["layers"] * 2 * 2 * case["K"] * case["D"] * 2
    assert size == nbytes(*weights, *caches, inputs["x"], inputs["head"]) + case["vocab"] * 2 + appended


@given(st.integers(1, 40), st.integers(1, 5000), st.sampled_from(DISTRIBUTIONS))
def test_ragged_batches_hold_the_same_tokens(batch, mean, kind):
    case = Case("attn.decode", {"B": batch, "S": mean, "H": 8, "K": 2, "D": 64, "page": 16, "lengths": kind})
    each = lengths(case)
    assert len(each) == batch and each.min() >= 1 and each.sum() == batch * mean
    assert np.array_equal(each, lengths(case))


@given(st.integers(1, 600), st.sampled_from([(8, 2), (64, 8), (256, 8)]), st.sampled_from(SKEWS))
def test_every_routed_row_has_an_expert(tokens, shape, skew):
    case = Case("moe.grouped", {"n": tokens, "E": shape[0], "k": shape[1], "hidden": 64, "ffn": 32, "skew": skew})
    counts = rows_per_expert(case)
    assert counts.sum() == tokens * shape[1] and counts.min() >= 0 and len(counts) == shape[0]


@given(st.integers(1, 64), st.integers(1, 4096), st.integers(1, 8192))
def test_decode_bytes_grow_with_the_batch_and_stop_at_the_window(batch, context, window):
    account = operations()["attn.decode"].account

    def work(b, s, **extra):
        return account(Case("attn.decode", {"B": b, "S": s, "H": 32, "K": 8, "D": 128, "page": 0, **extra}))

    one, many = work(1, context), work(batch, context)
    assert many.bytes_min == batch * one.bytes_min and many.flops == batch * one.flops
    assert work(batch, context, window=window).bytes_min <= many.bytes_min
    mha = account(Case("attn.decode", {"B": 1, "S": context, "H": 32, "K": 32, "D": 128, "page": 0})).bytes_min
    assert mha == accounting.decode_attention_kv_bytes(1, context, 32, 128) + accounting.decode_attention_io_bytes(1, 32, 128)


def test_names_select_operations_and_unknown_ones_are_answered():
    assert [op.name for op in select(["attn"])] == ["attn.decode", "attn.mla", "attn.prefill"]
    assert [op.name for op in select(["decode", "gemm"])] == ["gemm", "attn.decode"]
    with pytest.raises(ValueError, match="did you mean 'gemm'"):
        select(["gemn"])


@pytest.mark.parametrize("suite", ["smoke", "quick", "full"])
@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_every_suite_has_cases_with_accounting(suite, kind):
    for name, operation in operations().items():
        cases = operation.cases(suite, kind)
        assert cases and min(case.priority for case in cases) == 0, name
        for case in cases:
            work = operation.account(case)
            assert work.bytes_min > 0 and work.flops >= 0 and work.resident_bytes >= 0
            assert case.op == name


def test_the_package_imports_without_torch():
    import subprocess
    import sys

    code = (
        "import sys, analytics.bench, analytics.bench.runner, analytics.bench.ops as o; o.operations();"
        "assert not {'torch', 'triton'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_reader_of_records_knows_the_shape_of_every_operation():
    from analytics.bench.fields import SHAPE_WORDS, SHAPES

    for name, operation in operations().items():
        for suite in ("smoke", "quick", "full"):
            for kind in ("cpu", "cuda"):
                for case in operation.cases(suite, kind):
                    positive, natural = SHAPES.get(name, ((), ()))
                    assert all(case[p] >= 1 for p in positive) and all(case[p] >= 0 for p in natural)
                    assert all(case[word] in words for (owner, word), words in SHAPE_WORDS.items() if owner == name)
    assert set(operations()) - set(SHAPES) == {"energy"}  # it carries the shape of the operation it replays
