"""What is imported by its bare name must be the one that is meant."""

from importlib.metadata import packages_distributions

import pytest

from config.settings import PROJECT_ROOT

FOLDERS = [PROJECT_ROOT / "src", PROJECT_ROOT / "bench", PROJECT_ROOT / "__tests__" / "support"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_module_of_ours_hides_a_library(folder):
    ours = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert ours - {"__pycache__"}
    assert not ours & packages_distributions().keys()
