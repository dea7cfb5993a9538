"""The server: the JSON endpoint and the page over one queue.

POST /api/predict         a form with `file`; `?timeline_seconds=1` for a timeline, and
                          `&picture=light` for a picture of it
GET  /api/model           classes, limits and warnings
GET  /api/openapi.json    the schema of both
GET  /health              whether it is well; `login.LOGIN` is answered before all of these
GET  /                    the page, and its files (`page.FILES`); HEAD of these and of /health too

Whatever is not in this list is refused: another address, another method, another parameter.
"""

import base64
import contextlib
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from ser_aae import __version__
from ser_aae.errors import UserError
from ser_aae.files.records import describe_expected
from ser_aae.inference.wording import names_for_people
from ser_aae.server import schema
from ser_aae.server.exchange import Exchange
from ser_aae.server.health import HEALTH, health
from ser_aae.server.hosts import LOOPBACK
from ser_aae.server.limits import BodyLimit, Guard
from ser_aae.server.login import Login
from ser_aae.server.page import mount_page
from ser_aae.server.pictures import Scheme
from ser_aae.server.queue import FaultError, RecognitionQueue
from ser_aae.server.uploads import Uploads, is_disk_full

_ERRORS = (HTTPException, UserError, RequestValidationError, FaultError, OSError)

_ADDRESSES = ("/", "/api/predict", "/api/model", "/api/openapi.json", HEALTH)
"""Addresses that are answered, beside the files of the page."""

_STEP = Query(description="Step of the timeline, 0.1 to 10 seconds.")
_PICTURE = Query(description="Draw the timeline, for a page of this colour scheme.")
_FILE = {
    "type": "string",
    "format": "binary",
    "description": "A recording of any rate: WAV, FLAC, OGG, Opus, MP3.",
}
_FORM = {"type": "object", "required": ["file"], "properties": {"file": _FILE}}
_BODY = {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": schema.Refusal, "description": "No form, or no file in it."},
    413: {"model": schema.Refusal, "description": "More bytes than the limit."},
    422: {"model": schema.Refusal, "description": "No audio, too long, or a step out of range."},
    503: {"model": schema.Refusal, "description": "Too many recordings wait; try again later."},
}


def build_app(
    queue: RecognitionQueue,
    uploads: Uploads,
    hosts: Collection[str] = LOOPBACK,
    token: str | None = None,
) -> ASGIApp:
    """Return the whole server; when it ends, uploads and queue are closed.

    Args:
        queue: The model.
        uploads: The place of recordings.
        hosts: Names by which the server may be asked, as `hosts.host_name` spells them.
        token: What a client has to know; nothing where there is none.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            queue.close()
            uploads.close()

    app = FastAPI(
        title="ser-aae",
        version=__version__,
        openapi_url=None,  # FastAPI's own routes take any parameter
        docs_url=None,  # and these two fetch scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(_refuse_unknown)],
        lifespan=lifespan,
        exception_handlers=dict.fromkeys(_ERRORS, _answer_error),
    )
    _add_endpoints(app, queue, uploads)
    app.add_api_route(HEALTH, health, methods=["GET", "HEAD"], include_in_schema=False)
    mount_page(app)
    limited = BodyLimit(Login(app, token) if token else app, queue.limits)
    return Exchange(Guard(limited, hosts), queue.limits)


def _add_endpoints(app: FastAPI, queue: RecognitionQueue, uploads: Uploads) -> None:
    @app.post("/api/predict", responses=_REFUSALS, openapi_extra={"requestBody": _BODY})
    async def predict(
        request: Request,
        timeline_seconds: Annotated[float | None, _STEP] = None,
        picture: Annotated[Scheme | None, _PICTURE] = None,
    ) -> schema.Prediction:
        """Recognise a recording. It is removed before the answer is sent."""
        if picture and timeline_seconds is None:
            raise HTTPException(422, "picture: expected timeline_seconds too, the step it shows")
        path = await uploads.receive(request, "file")
        try:
            answer = await queue.ask(path, timeline_seconds, picture)
        finally:
            uploads.remove(path)
        speakers = [schema.Neighbour(name=name, cosine=value) for name, value in answer.speakers]
        return schema.Prediction(
            **answer.recognition.to_dict(),
            enrolled_speakers=speakers,
            picture=base64.b64encode(answer.picture).decode(),
        )

    @app.get("/api/model")
    async def model() -> schema.Model:
        """Say what the model tells apart, and what may be sent."""
        signature = queue.recogniser.signature
        return schema.Model(
            primary=signature.primary,
            classes={task: list(names) for task, names in signature.classes.items()},
            names=names_for_people(signature.classes),
            enrolled_speakers=queue.neighbours is not None,
            max_megabytes=queue.limits.megabytes,
            max_seconds=queue.limits.seconds,
            warnings=list(signature.warnings),
        )

    @app.get("/api/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return app.openapi()


async def _refuse_unknown(request: Request) -> None:
    """Refuse parameters that the route does not declare."""
    declared = request.scope["route"].dependant.query_params  # codespell:ignore dependant
    known = {field.alias for field in declared}
    if unknown := sorted(set(request.query_params) - known):
        expected = " or ".join(sorted(known)) or "none"
        raise HTTPException(422, f"expected {expected} as query parameter, got {unknown[0]!r}")


async def _answer_error(request: Request, error: Exception) -> JSONResponse:
    headers = None
    status, message = 500, "the server failed with this request; its log says why"
    if isinstance(error, HTTPException):
        status, message = error.status_code, _describe_refusal(request, error)
        headers = error.headers  # those of a wrong method name the right ones
    elif isinstance(error, UserError):
        status, message = 422, str(error)
    elif isinstance(error, RequestValidationError):
        status, message = 422, "; ".join(map(_describe_parameter, error.errors()))
    elif isinstance(error, FaultError):
        message = str(error)
    elif isinstance(error, OSError) and is_disk_full(error):
        status, message = 507, "the server's disk is full"
    else:
        logging.getLogger(__name__).error("a request made the program fail", exc_info=error)
    return JSONResponse({"error": message}, status, headers)


def _describe_refusal(request: Request, error: HTTPException) -> str:
    """Return what a request should have been, where its address or its method is none of ours."""
    place = request.url.path
    if error.status_code == 404:
        return f"expected {', '.join(_ADDRESSES)} or a file of the page, got {place}"
    if error.status_code == 405:
        taken = (error.headers or {}).get("Allow", "another method")
        return f"{place}: expected {' or '.join(sorted(taken.split(', ')))}, got {request.method}"
    return str(error.detail)


def _describe_parameter(fault: Mapping[str, Any]) -> str:
    """Return what a parameter should have been and what came, from what Pydantic found wrong."""
    return f"{fault['loc'][-1]}: {describe_expected(fault['msg'])}, got {fault['input']!r}"
