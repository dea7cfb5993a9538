"""The server: the JSON endpoint and the page over one desk.

POST /api/predict         a form with `file`; `?timeline_seconds=1` for a timeline
GET  /api/model           classes, limits and warnings
GET  /api/openapi.json    the schema of both
GET  /                    the page
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
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
from ser_aae.server.limits import BodyLimit, Guarded
from ser_aae.server.page import mount_page
from ser_aae.server.queue import Desk, FaultError
from ser_aae.server.uploads import Uploads, is_disk_full

_SWEEP_S = 60.0

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "A recording of any rate: WAV, FLAC, OGG, Opus, MP3.",
                        }
                    },
                }
            }
        },
    }
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": schema.Refusal, "description": "No form, or no file in it."},
    413: {"model": schema.Refusal, "description": "More bytes than the limit."},
    422: {"model": schema.Refusal, "description": "No audio, too long, or a step out of range."},
    503: {"model": schema.Refusal, "description": "Too many recordings wait; try again later."},
}


def build_app(desk: Desk, uploads: Uploads, hosts: Sequence[str] = ()) -> ASGIApp:
    """Return the whole server; when it ends, uploads and desk are closed.

    Args:
        desk: The model.
        uploads: Where recordings lie meanwhile.
        hosts: Names by which the server may be asked; any where there are none.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(uploads))
        try:
            yield
        finally:
            sweeping.cancel()
            desk.close()
            uploads.close()

    app = FastAPI(
        title="ser-aae",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,  # both would fetch scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    _add_errors(app)
    _add_endpoints(app, desk, uploads)
    mount_page(app, desk, uploads)
    return Guarded(BodyLimit(app, desk.limits), hosts)


def _add_endpoints(app: FastAPI, desk: Desk, uploads: Uploads) -> None:
    @app.post("/api/predict", responses=_REFUSALS, openapi_extra=_FORM)
    async def predict(
        request: Request,
        timeline_seconds: Annotated[
            float | None, Query(description="Step of the timeline, 0.1 to 10 seconds.")
        ] = None,
    ) -> schema.Prediction:
        """Recognise a recording. It is removed before the answer is sent."""
        path = await uploads.receive(request, "file")
        try:
            answer = await desk.ask(path, timeline_seconds)
        finally:
            uploads.remove(path)
        near = [schema.Neighbour(name=name, cosine=value) for name, value in answer.speakers]
        return schema.Prediction(**answer.recognition.to_dict(), enrolled_speakers=near)

    @app.get("/api/model")
    async def model() -> schema.Model:
        """Say what the model tells apart, and what may be sent."""
        about = desk.recogniser.description
        return schema.Model(
            primary=about.primary,
            classes={task: list(names) for task, names in about.classes.items()},
            enrolled_speakers=desk.neighbours is not None,
            max_megabytes=desk.limits.megabytes,
            max_seconds=desk.limits.seconds,
            warnings=list(about.warnings),
        )

    @app.post("/gradio_api/upload", include_in_schema=False)
    async def upload(request: Request) -> list[str]:
        """Take the page's uploads: Gradio's own way keeps names, and what broke off."""
        path: Path = await uploads.receive(request, "files")
        return [str(path)]

    @app.get("/gradio_api/upload_progress", include_in_schema=False)
    async def upload_progress() -> Response:
        """Tell the page's progress bar to go: what comes from this machine is there at once."""
        return Response('data: {"msg": "done"}\n\n', media_type="text/event-stream")


def _add_errors(app: FastAPI) -> None:
    """Answer every error with `{"error": ...}`."""

    def answer(status: int, message: Callable[[Any], str]) -> Callable[..., Awaitable[Any]]:
        async def handler(_: Request, error: Exception) -> JSONResponse:
            return JSONResponse({"error": message(error)}, status or error.status_code)  # type: ignore[attr-defined]

        return handler

    app.add_exception_handler(UserError, answer(422, str))
    app.add_exception_handler(HTTPException, answer(0, lambda error: str(error.detail)))
    app.add_exception_handler(
        RequestValidationError,
        answer(
            422,
            lambda error: "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors()),
        ),
    )
    app.add_exception_handler(FaultError, answer(500, str))
    app.add_exception_handler(OSError, _answer_os_error)


async def _answer_os_error(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, OSError) and is_disk_full(error):
        return JSONResponse({"error": "the server's disk is full"}, 507)
    logging.getLogger(__name__).error("a request made the program fail", exc_info=error)
    return JSONResponse({"error": "the server failed with this request; its log says why"}, 500)


async def _sweep(uploads: Uploads) -> None:
    while True:
        await asyncio.to_thread(uploads.sweep)
        await asyncio.sleep(_SWEEP_S)
