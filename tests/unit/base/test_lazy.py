from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = {
    "shop/__init__.py": """\
        import builtins
        from score_flyio.base.lazy import lazily
        real = builtins.__import__
        with lazily(globals()):
            from shop.goods import Apple as Apple
            from shop.goods import Pear as Pear
        assert builtins.__import__ is real
        """,
    "shop/goods.py": "print('loaded')\nclass Apple: ...\nPear = 3\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in PACKAGE.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(line.removeprefix(" " * 8) for line in text.splitlines()))
    return tmp_path


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        ("import shop; print(shop.__all__, 'Pear' in dir(shop))", ["['Apple', 'Pear'] True"]),
        ("import shop; shop.Pear; print(shop.Apple.__name__)", ["loaded", "Apple"]),
        ("from shop import Pear; print(Pear)", ["loaded", "3"]),
        ("from shop import *; print(Apple, Pear)", ["loaded", "<class 'shop.goods.Apple'> 3"]),
        ("import shop; print(hasattr(shop, 'Plum'))", ["False"]),
        ("import shop.goods; print(shop.goods.Pear)", ["loaded", "3"]),
    ],
)
def test_names_are_imported_on_first_use(shop: Path, script: str, printed: list[str]) -> None:
    script = f"import sys; sys.path.insert(0, {str(shop)!r}); exec({script!r})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == printed
