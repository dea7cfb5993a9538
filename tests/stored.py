"""JSON files as they lie on disk: changed by hand, and as versions before seals wrote them."""

import json

from ser_aae.files.seals import SEAL


def read_unsealed(path):
    """Return the values of a JSON file without its seal, whether that is theirs or not."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content.pop(SEAL, None)
    return content


def write_unsealed(path, content):
    """Write a JSON file as a version did that had neither seals nor digests of a run's files."""
    path.write_text(json.dumps(content), encoding="utf-8")
    forget_digests(path.parent)


def forget_digests(run):
    """Make a run one of a version that kept no digests of its files."""
    for path in (run / "result.json", run / "validation.json"):
        if path.is_file():
            found = read_unsealed(path)
            found.pop("files_sha256", None)
            path.write_text(json.dumps(found), encoding="utf-8")
