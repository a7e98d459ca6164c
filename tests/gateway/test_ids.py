from gateway.ids import new_id


def test_new_ids_are_unique_and_sort_by_time() -> None:
    ids = [new_id("turn") for _ in range(1_000)]
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("turn_") and len(one) == len("turn_") + 26 for one in ids)
    assert [one[:15] for one in ids] == sorted(one[:15] for one in ids)
