"""The page: record or upload, posteriors as bars, a timeline under the spectrogram."""

import asyncio
import base64
import html
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from ser_aae.errors import UserError
from ser_aae.server.queue import Answer, FaultError, RecognitionQueue
from ser_aae.server.uploads import Uploads

if TYPE_CHECKING:
    import gradio

STEP_S = 0.5
"""Step of the page's timeline."""

GRACE_S = 5.0
"""Time that a recording stays for the page's player after it is answered."""

_CSS = """
.timeline img { width: 100%; border-radius: var(--block-radius); }
.speakers table { width: 100%; border-collapse: collapse; }
.speakers :is(table, tr, th, td) { border: 0 !important; }
.speakers :is(th, td) { padding: 0.3em 0.5em; text-align: left; }
.speakers td { border-top: 1px solid var(--border-color-primary) !important; }
.speakers :is(th, td):last-child { width: 40%; }
.speakers meter { width: 100%; }
.speakers meter::-webkit-meter-optimum-value { background: var(--color-accent); }
.speakers meter::-moz-meter-bar { background: var(--color-accent); }
"""


def mount_page(app: FastAPI, queue: RecognitionQueue, uploads: Uploads) -> None:
    """Put the page at `/`, behind all that the app has already."""
    # read when Gradio is imported, and when the page is built
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_TEMP_DIR"] = str(uploads.folder)
    import gradio

    # Gradio's own fonts are fetched from Google
    fonts, mono = ["system-ui", "sans-serif"], ["ui-monospace", "monospace"]
    theme = gradio.themes.Default(font=fonts, font_mono=mono)
    blocks = _build(gradio, queue, uploads)
    # Gradio checks paths in what a client sends only of pages that it has launched itself
    blocks.has_launched = True
    gradio.mount_gradio_app(
        app,
        blocks,
        "/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=queue.limits.bytes,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme,
        css=_CSS,
    )


def _build(gradio: Any, queue: RecognitionQueue, uploads: Uploads) -> "gradio.Blocks":
    tasks = [task for task in queue.recogniser.signature.classes if task != "speaker"]

    with gradio.Blocks(title="ser-aae", analytics_enabled=False) as blocks:
        gradio.Markdown("# Speech emotion recognition\n" + _notes(queue))
        sound = _recorder(gradio, uploads)
        said = gradio.Markdown(elem_id="said")
        with gradio.Row(equal_height=True):
            bars = [gradio.Label(label=task, elem_id=f"bars-{task}") for task in tasks]
        timeline = gradio.HTML(elem_id="timeline", elem_classes="timeline")
        near = gradio.HTML(
            elem_id="speakers", elem_classes="speakers", visible=bool(queue.neighbours)
        )

        async def recognise(path: str | None) -> list[Any]:
            if path is None:
                return ["", *(None for _ in tasks), "", ""]
            try:
                answer = await queue.ask(Path(path), STEP_S, draw=True)
            except (UserError, FaultError) as error:
                raise gradio.Error(str(error), print_exception=False) from error
            finally:
                # the page's player may be about to fetch what it plays
                asyncio.get_running_loop().call_later(GRACE_S, uploads.remove, path)
            found = answer.recognition.posteriors
            values = [found.get(task) for task in tasks]
            return [_summary(answer), *values, _timeline(answer), _speakers(answer.speakers)]

        sound.change(
            recognise,
            inputs=[sound],
            outputs=[said, *bars, timeline, near],
            api_visibility="private",  # programs have an endpoint of their own
            concurrency_limit=None,  # recordings wait in `queue`
        )
    return blocks


def _recorder(gradio: Any, uploads: Uploads) -> Any:
    """Return the component that takes a recording; a path that a client names is an upload's.

    Gradio's own way fetches what a link leads to, and copies what a path leads to.
    """

    async def check(url_or_file_path: str | Path | None) -> str | None:
        if url_or_file_path is None:
            return None
        if not uploads.owns(str(url_or_file_path)):
            message = "expected an upload that is not answered yet; upload it again"
            raise gradio.Error(message, print_exception=False)
        return str(url_or_file_path)

    sound = gradio.Audio(
        sources=["upload", "microphone"],
        type="filepath",
        label="Recording",
        elem_id="recording",
        buttons=[],
    )
    # of this one component: a class of our own would have Gradio write a file beside this one
    sound.async_move_resource_to_block_cache = check
    return sound


def _notes(queue: RecognitionQueue) -> str:
    limits = queue.limits
    lines = [
        f"At most {limits.seconds:g} seconds and {limits.megabytes:g} MB. The recording does not "
        "leave the server, which removes it as soon as it has answered.",
        *(f"**Note:** {html.escape(text)}" for text in queue.recogniser.signature.warnings),
    ]
    return "\n\n".join(lines)


def _summary(answer: Answer) -> str:
    found = answer.recognition
    if found.silent:
        return f"{found.duration_s:.1f} s of silence."
    return f"{found.duration_s:.1f} s, {found.speech_s:.1f} s of it speech."


def _timeline(answer: Answer) -> str:
    """Return the picture, with its content in words for whoever cannot see it."""
    steps = answer.recognition.timeline
    task = next(iter(answer.recognition.posteriors), "")
    words = [f"{step.start_s:g} s {step.best.get(task, 'silence')}" for step in steps[:120]]
    text = html.escape(f"Spectrogram and {task} over time: {', '.join(words)}", quote=True)
    data = base64.b64encode(answer.picture).decode()
    return f'<img alt="{text}" src="data:image/png;base64,{data}">'


def _speakers(speakers: Sequence[tuple[str, float]]) -> str:
    if not speakers:
        return ""
    rows = [
        f"<tr><td>{html.escape(name)}</td><td>{value:.3f}</td>"
        f'<td><meter min="0" max="1" value="{max(value, 0.0):.3f}"></meter></td></tr>'
        for name, value in speakers[:5]
    ]
    head = "<tr><th>nearest enrolled speakers</th><th>cosine</th><th></th></tr>"
    return f"<table>{head}{''.join(rows)}</table>"
