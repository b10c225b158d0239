"""Answers kept by revision hold while other threads push them out."""

from types import SimpleNamespace

from data.queries.kept import KEPT, per_revision


def _snapshot(draft=None):
    return SimpleNamespace(draft=draft, rev=1, store=SimpleNamespace())


def test_an_answer_is_asked_once_until_newer_ones_push_it_out():
    asked = []
    query = per_revision(lambda snapshot, n: asked.append(n) or 2 * n)
    snapshot = _snapshot()
    assert [query(snapshot, 1), query(snapshot, 1)] == [2, 2] and asked == [1]
    for n in range(2, KEPT + 2):
        query(snapshot, n)
    asked.clear()
    assert query(snapshot, 1) == 2 and asked == [1]


def test_a_draft_is_asked_anew():
    asked = []
    query = per_revision(lambda snapshot: asked.append(1))
    draft = _snapshot(draft={"clusters": []})
    query(draft), query(draft)
    assert asked == [1, 1]


def test_an_answer_thrown_out_while_it_is_read_is_still_given():
    snapshot = _snapshot()

    class Pushing:
        """An argument during whose second look-up another thread would have emptied the store of answers."""

        looks = 0

        def __hash__(self):
            Pushing.looks += 1
            if Pushing.looks == 4:  # two looks while the answer was made, one that found it
                snapshot.store._answers.clear()
            return 7

    query = per_revision(lambda snapshot, argument: "answer")
    argument = Pushing()
    assert [query(snapshot, argument), query(snapshot, argument)] == ["answer", "answer"]
