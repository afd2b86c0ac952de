"""The wheels of tests/requirements.txt, for the tests that need them."""

import importlib
import os
import sys

SKIPPED = 77  # CTest's SKIP_RETURN_CODE of the tests that lpdm_add_wheel_test() adds


def need(*modules):
    """Skips the whole test where a module is missing; continuous integration fails it."""
    missing = []
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            missing.append(module)
    if missing:
        print(f"Missing {', '.join(missing)}; run tools/bootstrap.sh --ci.", file=sys.stderr)
        sys.exit(1 if os.environ.get("LPDM_REQUIRE_TEST_WHEELS") else SKIPPED)
