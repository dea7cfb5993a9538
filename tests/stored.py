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
    result = path.with_name("result.json")
    if result.is_file():
        found = read_unsealed(result)
        found.pop("files_sha256", None)
        result.write_text(json.dumps(found), encoding="utf-8")
