"""Models on the Hugging Face Hub: one file fetched, a folder's worth of files pushed.

The package huggingface_hub does it, and is imported when it is needed: the extra `hub`. Where the
Hub is (`HF_ENDPOINT`), where files are kept (`HF_HOME`) and who asks (`HF_TOKEN`, or `hf auth
login`) is its own configuration.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ser_aae.errors import UserError

SCHEME = "hf://"

_REPOSITORY = r"[\w.-]+/[\w.-]+"
_ADDRESS = re.compile(
    rf"(?P<repo>{_REPOSITORY})(?:@(?P<revision>[\w.-]+))?(?:/(?P<file>.+))?", re.ASCII
)
_EXPECTED = "hf://OWNER/NAME, with @REVISION and /FILE where they are needed"
_MEANT = re.compile(r"hf:|https?://(www\.)?huggingface\.co(/|$)", re.IGNORECASE)
_UNREACHED = "the Hub cannot be reached"
_BY_HAND = "look at the connection and at $HTTPS_PROXY, or take the file there with a browser"


@dataclass(frozen=True)
class HubAddress:
    """A model on the Hub: `hf://owner/name@revision/file`.

    Attributes:
        revision: Branch, tag or commit; `None` is the main branch.
        file: File of the repository; `None` where the one exported model in it is meant.
    """

    repo: str
    revision: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        """Return it as it is typed."""
        revision = f"@{self.revision}" if self.revision else ""
        return f"{SCHEME}{self.repo}{revision}{f'/{self.file}' if self.file else ''}"


def is_meant(text: str) -> bool:
    """Return whether somebody means a model on the Hub, spelt in whatever way."""
    return _MEANT.match(text) is not None


def parse_address(text: str) -> HubAddress:
    """Return the address in a text that begins with `hf://`.

    Raises:
        UserError: It begins otherwise, names no repository, or leads out of it.
    """
    found = _ADDRESS.fullmatch(text.removeprefix(SCHEME).rstrip("/"))
    if not found or not text.startswith(SCHEME) or {"", ".", ".."} & set(_segments(text)):
        raise UserError(f"{text}: expected {_EXPECTED}")
    return HubAddress(found["repo"], found["revision"], found["file"])


def _segments(text: str) -> list[str]:
    return text.removeprefix(SCHEME).rstrip("/").replace("@", "/").split("/")


def fetch_file(address: HubAddress, endings: Sequence[str]) -> Path:
    """Fetch a file into the package's own cache, unless it is there, and return its place.

    Args:
        address: Its address; without a file, the repository has to hold one of those `endings`, or
            one of the first of them.
        endings: Endings of exported models, the one to prefer first.

    Raises:
        ModuleNotFoundError: The package huggingface_hub is not installed.
        UserError: No such file, no right to it, or no network.
    """
    import huggingface_hub as hub

    if address.file and not address.file.endswith(tuple(endings)):
        raise UserError(
            f"{address}: expected an exported model ({', '.join(endings)}), got {address.file}"
        )
    with _errors_explained(str(address)):
        name = address.file or _find_model(address, endings)
        return Path(hub.hf_hub_download(address.repo, name, revision=address.revision))


def push_files(repo: str, files: Mapping[str, bytes | Path], message: str) -> str:
    """Put files into a repository of models as one commit, and return its address as a web page.

    A repository that is not there is made, and is private: terms of corpora may forbid others.

    Args:
        repo: `owner/name`.
        files: Name in the repository to content, or to the file that has it.
        message: Of the commit.

    Raises:
        ModuleNotFoundError: The package huggingface_hub is not installed.
        UserError: No token, no right to the repository, or no network.
    """
    import huggingface_hub as hub

    check_push(repo)
    operations = [hub.CommitOperationAdd(name, content) for name, content in files.items()]
    with _errors_explained(repo):
        api = hub.HfApi()
        api.create_repo(repo, private=True, exist_ok=True)
        api.create_commit(repo, operations, commit_message=message)
        return f"{api.endpoint}/{repo}"


def check_push(repo: str) -> None:
    """Refuse to push where it is known beforehand that it cannot be done.

    Raises:
        ModuleNotFoundError: The package huggingface_hub is not installed.
        UserError: No name of a repository, or no token.
    """
    import huggingface_hub as hub

    if not re.fullmatch(_REPOSITORY, repo, re.ASCII):
        raise UserError(f"expected a repository of the Hub, OWNER/NAME, got {repo}")
    if not hub.get_token():
        raise UserError(
            f"{repo}: expected a token of the Hub that may write, found none; log in with "
            "`hf auth login`, or put it into $HF_TOKEN"
        )


def _find_model(address: HubAddress, endings: Sequence[str]) -> str:
    """Return the one exported model of a repository: of several, the one whose ending is first."""
    from huggingface_hub import HfApi

    names = HfApi().list_repo_files(address.repo, revision=address.revision)
    for ending in endings:
        found = sorted(name for name in names if name.endswith(ending))
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(
                f"{address}: expected one exported model, found {', '.join(found)}; name it, as in "
                f"{address}/{found[0]}"
            )
    raise UserError(
        f"{address}: expected an exported model ({', '.join(endings)}), found "
        f"{', '.join(sorted(names)) or 'no file'}; export the run and push that: ser-aae card RUN "
        "--push OWNER/NAME --file FILE"
    )


@contextmanager
def _errors_explained(what: str) -> Iterator[None]:
    """Raise what the Hub or the network refuses as a `UserError` that names it."""
    from httpx2 import HTTPError  # the client that huggingface_hub asks with
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise UserError(f"{what}: the Hub asks for its terms to be accepted on its page") from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(
            f"{what}: expected a repository of models, found none, or one that is private and that "
            "the token does not open; look at its name, log in with `hf auth login`, or set "
            "$HF_TOKEN"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UserError(f"{what}: expected a revision of the repository, found none") from error
    except errors.LocalEntryNotFoundError as error:  # not asked, and not in the cache
        raise UserError(
            f"{what}: {_UNREACHED}, and the file was not fetched before; {_BY_HAND}"
        ) from error
    except errors.EntryNotFoundError as error:
        raise UserError(
            f"{what}: expected a file of the repository, found none of that name"
        ) from error
    except errors.HFValidationError as error:
        raise UserError(f"{what}: expected {_EXPECTED} ({error})") from error
    except errors.HfHubHTTPError as error:
        why = error.server_message or (str(error).splitlines() or ["no reason"])[0]
        raise UserError(
            f"{what}: the Hub refuses it ({why}); look whether the token in $HF_TOKEN, or of `hf "
            "auth login`, may write there"
        ) from error
    except (HTTPError, errors.OfflineModeIsEnabled) as error:
        raise UserError(f"{what}: {_UNREACHED} ({type(error).__name__}); {_BY_HAND}") from error
