"""One thread for what would wait in a loop."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture
def one_thread():
    """t-SNE's threads wait for each other in a loop, for minutes where the cores are busy."""
    with threadpool_limits(1):
        yield
