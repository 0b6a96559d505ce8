"""The interop suite: one gateway, peers by other people, and a judge. `run` calls it; README.md says what it shows."""

import argparse
import fnmatch
import os
import pathlib
import shutil
import sys
import time
import traceback

import capture
import scenarios
from judge import Failed

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIMIT_FAILURES_SHOWN = 8


def arguments():
    parser = argparse.ArgumentParser(prog="tests/interop/run", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000, help="messages in each direction (10000)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="scenarios, with * and ?; may repeat"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other texts and other losses")
    parser.add_argument("--list", action="store_true", help="print the names of the scenarios")
    parser.add_argument("--no-capture", action="store_true", help="without tshark's judgement")
    return parser.parse_args()


def chosen(names, patterns):
    """The names that a pattern fits, whole or up to a dot; all if there is no pattern."""

    def fits(name):
        return any(fnmatch.fnmatch(name, pattern) or name.startswith(pattern + ".") for pattern in patterns)

    return [name for name in names if not patterns or fits(name)]


def run_one(name, options, binary):
    """True if the scenario passed. What it left behind stays in its folder."""
    folder = ROOT / "target/interop/runs" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    try:
        told = scenarios.run(name, scenarios.Setting(folder, binary, options.messages, options.seed, options.capture))
    except Failed as failed:
        return fail(name, failed.findings, folder)
    except RuntimeError as trouble:
        return fail(name, str(trouble).splitlines(), folder)
    except Exception:  # a broken harness is a failure with a trace, not the end of the suite
        return fail(name, traceback.format_exc().splitlines()[-12:], folder)
    print(f"ok    {name:<28} {told}, {time.monotonic() - began:.1f} s", flush=True)
    return True


def fail(name, findings, folder):
    print(f"FAIL  {name:<28} {len(findings)} findings, logs in {folder.relative_to(ROOT)}")
    for finding in findings[:LIMIT_FAILURES_SHOWN]:
        print(f"        {finding}")
    sys.stdout.flush()
    return False


def main():
    options = arguments()
    names = chosen(scenarios.NAMES, options.only)
    if options.list or not names:
        print("\n".join(scenarios.NAMES))
        return 0 if options.list else 2
    options.capture, why = (False, "--no-capture") if options.no_capture else capture.permitted()
    binary = pathlib.Path(os.environ["ISTHMUS"]).resolve()
    passed = [run_one(name, options, binary) for name in names]
    if not options.capture:
        print(f"SKIP  tshark's judgement of the captures: NOT CHECKED ({why})")
    print(f"{sum(passed)} of {len(passed)} scenarios passed")
    return 0 if all(passed) else 1


sys.exit(main())
