"""The server: the JSON endpoint and the page over one queue.

POST /api/predict         a form with `file`; `?timeline_seconds=1` for a timeline
GET  /api/model           classes, limits and warnings
GET  /api/openapi.json    the schema of both
GET  /                    the page
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from ser_aae import __version__
from ser_aae.errors import UserError
from ser_aae.server import schema
from ser_aae.server.limits import BodyLimit, Guard
from ser_aae.server.page import mount_page
from ser_aae.server.queue import FaultError, RecognitionQueue
from ser_aae.server.uploads import Uploads, is_disk_full

_SWEEP_S = 60.0
_ERRORS = (HTTPException, UserError, RequestValidationError, FaultError, OSError)

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


def build_app(queue: RecognitionQueue, uploads: Uploads, hosts: Sequence[str] = ()) -> ASGIApp:
    """Return the whole server; when it ends, uploads and queue are closed.

    `hosts` are the names by which the server may be asked; any where there are none.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(uploads))
        try:
            yield
        finally:
            sweeping.cancel()
            queue.close()
            uploads.close()

    app = FastAPI(
        title="ser-aae",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,  # both would fetch scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        exception_handlers=dict.fromkeys(_ERRORS, _answer_error),
    )
    _add_endpoints(app, queue, uploads)
    mount_page(app, queue, uploads)
    return Guard(BodyLimit(app, queue.limits), hosts)


def _add_endpoints(app: FastAPI, queue: RecognitionQueue, uploads: Uploads) -> None:
    @app.post("/api/predict", responses=_REFUSALS, openapi_extra={"requestBody": _BODY})
    async def predict(
        request: Request,
        timeline_seconds: Annotated[
            float | None, Query(description="Step of the timeline, 0.1 to 10 seconds.")
        ] = None,
    ) -> schema.Prediction:
        """Recognise a recording. It is removed before the answer is sent."""
        path = await uploads.receive(request, "file")
        try:
            answer = await queue.ask(path, timeline_seconds)
        finally:
            uploads.remove(path)
        speakers = [schema.Neighbour(name=name, cosine=value) for name, value in answer.speakers]
        return schema.Prediction(**answer.recognition.to_dict(), enrolled_speakers=speakers)

    @app.get("/api/model")
    async def model() -> schema.Model:
        """Say what the model tells apart, and what may be sent."""
        signature = queue.recogniser.signature
        return schema.Model(
            primary=signature.primary,
            classes={task: list(names) for task, names in signature.classes.items()},
            enrolled_speakers=queue.neighbours is not None,
            max_megabytes=queue.limits.megabytes,
            max_seconds=queue.limits.seconds,
            warnings=list(signature.warnings),
        )

    @app.post("/gradio_api/upload", include_in_schema=False)
    async def upload(request: Request) -> list[str]:
        """Take the page's uploads: Gradio's own way keeps names, and uploads that broke off."""
        path: Path = await uploads.receive(request, "files")
        return [str(path)]

    @app.get("/gradio_api/upload_progress", include_in_schema=False)
    async def upload_progress() -> Response:
        """End the page's progress bar: an upload from this machine is there at once."""
        return Response('data: {"msg": "done"}\n\n', media_type="text/event-stream")


async def _answer_error(_: Request, error: Exception) -> JSONResponse:
    status, message = 500, "the server failed with this request; its log says why"
    if isinstance(error, HTTPException):
        status, message = error.status_code, str(error.detail)
    elif isinstance(error, UserError):
        status, message = 422, str(error)
    elif isinstance(error, RequestValidationError):
        details = [f"{each['loc'][-1]}: {each['msg']}" for each in error.errors()]
        status, message = 422, "; ".join(details)
    elif isinstance(error, FaultError):
        message = str(error)
    elif isinstance(error, OSError) and is_disk_full(error):
        status, message = 507, "the server's disk is full"
    else:
        logging.getLogger(__name__).error("a request made the program fail", exc_info=error)
    return JSONResponse({"error": message}, status)


async def _sweep(uploads: Uploads) -> None:
    while True:
        await asyncio.to_thread(uploads.sweep)
        await asyncio.sleep(_SWEEP_S)
