"""Lifeline of a child process: a pipe, by whose end the child notices that its parent has ended.

The parent holds the other end and writes nothing more to it. However the parent ends, by SIGKILL
too, the operating system closes that end. A thread of the child waits for this, so that it makes no
difference what the child does meanwhile: import TensorFlow, wait for an answer, or train.
"""

import os
import threading


def end_with_parent(pipe: int) -> None:
    """End this process at once when the other end of a pipe is closed.

    To be called before anything that takes long, as soon as nothing else is read from the pipe.
    Nothing is tidied up in the end: whatever is half done is made to outlive a kill.

    Args:
        pipe: File descriptor of the end that is read; the parent alone holds the other.
    """
    threading.Thread(target=_wait_for_the_end, args=(pipe,), daemon=True, name="lifeline").start()


def _wait_for_the_end(pipe: int) -> None:
    while os.read(pipe, 1):  # unbuffered: a buffer's lock would be held at the end
        pass
    os._exit(1)
