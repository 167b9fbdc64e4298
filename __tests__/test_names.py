"""What is imported by its bare name must be the one that is meant."""

from importlib.metadata import packages_distributions

import pytest

from config.settings import PROJECT_ROOT

FOLDERS = [PROJECT_ROOT / "src", PROJECT_ROOT / "bench", PROJECT_ROOT / "__tests__" / "support"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_module_of_ours_hides_a_library(folder):
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    # From Python 3.12 on, packages without folders of their own are listed as this one.
    ours = modules - {"__pycache__"}
    assert ours
    assert not ours & packages_distributions().keys()
