"""What much audio costs is arithmetic on what is given."""

import pytest

from benchmarks.scale_cost import PARAMETERS, cost


def test_an_hour_is_priced_by_its_parts(capsys):
    given = {name: default for name, default, _ in PARAMETERS} | {
        "hours": 1000.0, "clip_s": 2.0, "copies": 3.0, "ingestion_ms": 2.0, "statistics_ms": 1.0,
        "copy_ms": 4.0, "features_ms": 0.5, "efficiency": 0.5, "vcpus": 10.0, "shuffled_kb": 10.0,
        "stored_kb": 100.0, "vcpu_hour": 0.05, "gb_vcpu": 2.0, "gb_hour": 0.005,
        "shuffled_gb": 0.01, "stored_gb_month": 0.02, "months": 6.0,
    }  # fmt: skip
    found = cost(**given)
    # 1.8 million clips of 2 + 1 + 3 x 4 + 4 x 0.5 = 17 ms, twice because of the efficiency.
    assert found["clips"] == 1_800_000
    assert found["vcpu_hours"] == pytest.approx(17.0)
    assert found["wall_hours"] == pytest.approx(1.7)
    assert found["compute"] == pytest.approx(17 * 0.06)
    assert found["shuffle"] == pytest.approx(18 * 0.01)
    assert found["storage"] == pytest.approx(180 * 0.02 * 6)
    assert "together $23" in capsys.readouterr().out
