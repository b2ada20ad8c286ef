"""The examples run, and so does that of the README."""

import pathlib
import re
import subprocess
import sys

import pytest

from conftest import ROOT

EXAMPLES = sorted((pathlib.Path(__file__).parent / "examples").glob("*.py"))


def run(*arguments: str) -> str:
    """What a script of Python prints, from the repository's root."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example(example):
    assert run(str(example)).strip()


def test_the_examples_of_the_readme():
    text = (ROOT / "src/python/README.md").read_text()
    examples = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert examples
    for example in examples:
        assert run("-c", example).strip(), example


def test_the_stubs_name_what_there_is():
    """Every class and function of the module stands in the stubs, and nothing else."""
    import ast

    import curvebook

    stubs = ast.parse((ROOT / "src/python/curvebook/__init__.pyi").read_text())
    named = {node.name: node for node in stubs.body if hasattr(node, "name")}
    there = {name for name in curvebook.__all__ if not name.startswith("_")}
    assert set(named) == there
    for name in there:
        found = getattr(curvebook, name)
        assert found.__doc__, name
        if isinstance(named[name], ast.ClassDef):
            members = {node.name for node in named[name].body if isinstance(node, ast.FunctionDef)}
            public = {member for member in vars(found) if not member.startswith("_")}
            assert {member for member in members if not member.startswith("_")} == public, name
