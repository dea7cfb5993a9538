"""The cost of these tests: most of it is training, and most of that the tracing of steps."""

import ast
from pathlib import Path

TESTS = Path(__file__).parent


def calls_of(text):
    """Return the names of the functions that a module calls by their name alone."""
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return {each.id for each in calls if isinstance(each, ast.Name)}


def test_a_module_that_trains_says_whether_its_steps_are_traced():
    texts = {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")}
    training = {path for path, text in texts.items() if "train_and_evaluate" in calls_of(text)}
    assert training
    silent = [
        path.relative_to(TESTS).as_posix()
        for path in training
        if "few_steps" not in texts[path] and "traced_steps" not in texts[path]
    ]
    assert not silent, "expected the fixture few_steps, or traced_steps() of tests/tiny.py"
