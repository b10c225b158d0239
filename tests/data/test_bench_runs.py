"""A run beside the server: closed by default, one at a time, watched and ended."""

import sys
import time

import pytest

from data import bench_runs
from data.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, admin=True)


def waiting(settings, until):
    for _ in range(600):
        now = bench_runs.state(settings)
        if until(now):
            return now
        time.sleep(0.05)
    raise AssertionError(f"still {now}")


def script(body):
    return [sys.executable, "-c", f"import sys, time\n{body}", "analytics.bench"]


def test_it_is_closed_unless_opened(tmp_path):
    with pytest.raises(bench_runs.NotAllowed, match="RIDGEPOINT_ADMIN"):
        bench_runs.start(Settings(home=tmp_path))
    assert bench_runs.state(Settings(home=tmp_path)) is None


def test_progress_and_the_end_of_a_run(settings):
    bench_runs.start(settings, "smoke", script("print('3/9 gemm', file=sys.stderr, flush=True); time.sleep(1.5); sys.exit(4)"))
    now = waiting(settings, lambda s: s.total == 9)
    assert (now.done, now.message, now.running) == (3, "gemm", True)
    with pytest.raises(ValueError, match="running already"):
        bench_runs.start(settings, "smoke", script("pass"))
    assert waiting(settings, lambda s: not s.running).ended == 4
    bench_runs.start(settings, "smoke", script("sys.exit('torch is not installed; install requirements-bench.txt')"))
    now = waiting(settings, lambda s: not s.running)
    assert now.ended == 1 and "torch is not installed" in now.message


def test_cancelling_ends_the_process_even_if_it_will_not(settings):
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('1/2 x', file=sys.stderr, flush=True); time.sleep(600)"
    bench_runs.start(settings, "quick", script(stubborn))
    waiting(settings, lambda s: s.total == 2)
    bench_runs.cancel(settings, patience_s=0.5)
    now = bench_runs.state(settings)
    assert not now.running and now.ended == -15
    bench_runs.cancel(settings)  # nothing is going: nothing happens


def test_a_run_whose_server_is_gone_is_over(settings):
    bench_runs.start(settings, "smoke", script("time.sleep(0.2)"))
    bench_runs._started.clear()
    assert waiting(settings, lambda s: not s.running).ended in (-1, 0)


def test_unknown_suites_are_refused(settings):
    with pytest.raises(ValueError, match="smoke, quick"):
        bench_runs.start(settings, "everything")


@pytest.mark.bench
def test_the_real_command_line_starts_and_is_cancelled_with_its_measuring_process(settings):
    pytest.importorskip("torch", reason="the benchmarks need torch (requirements-bench.txt)")
    bench_runs.start(settings, "smoke")
    waiting(settings, lambda s: s.total > 10 or not s.running)
    assert bench_runs.state(settings).running
    bench_runs.cancel(settings)
    assert bench_runs.state(settings).ended == -15
