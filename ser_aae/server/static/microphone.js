// Runs in the browser's audio thread: hands on what the microphone hears, block by block.

class Microphone extends AudioWorkletProcessor {
  process([input]) {
    if (input.length) this.port.postMessage(input[0].slice());
    return true;
  }
}

registerProcessor("microphone", Microphone);
