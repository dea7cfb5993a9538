"""Schema of the answers of the JSON endpoint; `/api/openapi.json` documents it from here."""

from pydantic import BaseModel, Field

Classes = dict[str, dict[str, float]]


class Step(BaseModel):
    """A step of the timeline."""

    start_s: float = Field(description="Its start in the recording, in seconds.")
    end_s: float = Field(description="Its end, in seconds.")
    silent: bool = Field(description="Whether nothing is said in it.")
    best: dict[str, str] = Field(description="Task to its likeliest class; empty in silence.")
    posteriors: Classes = Field(
        description="Task to class to posterior, of all tasks but the speaker, unless that is the "
        "primary one; empty in silence."
    )


class Neighbour(BaseModel):
    """An enrolled speaker."""

    name: str
    cosine: float = Field(
        description="Cosine of the recording's d-vector with the speaker's, -1 to 1: no posterior."
    )


class Prediction(BaseModel):
    """The model's answer to a recording."""

    duration_s: float = Field(description="Length of the recording, in seconds.")
    speech_s: float = Field(description="Length of what is no pause in it, in seconds.")
    segments: int = Field(description="Number of segments that the posteriors are the mean of.")
    silent: bool = Field(description="Whether nothing is said in it.")
    best: dict[str, str] = Field(description="Task to its likeliest class; empty in silence.")
    posteriors: Classes = Field(
        description="Task to class to posterior, the primary task first; those of a task sum to "
        "1; empty in silence."
    )
    timeline: list[Step] = Field(
        description="Steps of equal length, where `timeline_seconds` asked for them."
    )
    enrolled_speakers: list[Neighbour] = Field(
        description="The nearest first; empty where nobody is enrolled, or in silence."
    )
    picture: str = Field(
        description="The spectrogram, and the primary task's timeline below it: a PNG in base64; "
        "empty where `picture` did not ask for it."
    )
    warnings: list[str] = Field(description="Limits that readers of a posterior have to know.")
    oddities: list[str] = Field(
        description="What is odd about the sound (clipped, hardly any, too short, no speech), or "
        "wrong in the header of a WAV that was read all the same."
    )


class Model(BaseModel):
    """The model that the server answers with."""

    primary: str = Field(description="The primary task.")
    classes: dict[str, list[str]] = Field(description="Task to its classes, in order.")
    names: dict[str, dict[str, str]] = Field(
        description="Task to class to the name that the page shows, where that is another one."
    )
    enrolled_speakers: bool = Field(description="Whether speakers are enrolled.")
    max_megabytes: float = Field(description="The largest file, in units of 2^20 bytes.")
    max_seconds: float = Field(description="The longest recording.")
    warnings: list[str] = Field(description="Limits that readers of a posterior have to know.")


class Refusal(BaseModel):
    """Reason why there is no answer."""

    error: str = Field(description="The expected input, the one that came, and a remedy.")
