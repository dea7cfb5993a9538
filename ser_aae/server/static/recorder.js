// A recording of the microphone as a WAV file: what browsers pack by themselves (WebM, MP4) loses
// sound, and the server does not read it.

const BYTES_OF_SAMPLE = 2;
const BYTES_OF_HEAD = 44;
const FALL = 0.99; // of the level shown, from block to block

/** Records one channel, with nothing done to the sound: how loud it is says something. */
export class Recorder {
  /** Begins; `onblock(seconds, level)` is called often, with the length so far and a level of 0 to 1. */
  static async start(onblock) {
    if (!navigator.mediaDevices || !window.AudioWorkletNode) {
      throw new Error(
        "Browsers give the microphone to a page of this machine or of https:// alone; " +
        "choose a file instead.");
    }
    const processing = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: processing });
    const context = new AudioContext();
    context.resume(); // some browsers let it wait
    try {
      await context.audioWorklet.addModule("microphone.js");
    } catch (error) {
      release(stream, context);
      throw error;
    }
    return new Recorder(stream, context, onblock);
  }

  constructor(stream, context, onblock) {
    this.stream = stream;
    this.context = context;
    this.blocks = [];
    this.length = 0;
    this.level = 0;
    const node = new AudioWorkletNode(context, "microphone", {
      channelCount: 1, channelCountMode: "explicit",
    });
    node.port.onmessage = ({ data }) => {
      this.blocks.push(data);
      this.length += data.length;
      // it falls slowly enough to be seen: a block is under 3 ms
      this.level = data.reduce((most, sample) => Math.max(most, Math.abs(sample)), FALL * this.level);
      onblock(this.length / context.sampleRate, this.level);
    };
    // not every browser asks a node for sound that leads nowhere; what leaves this one is silence
    context.createMediaStreamSource(stream).connect(node).connect(context.destination);
  }

  /** Size that the file has as yet. */
  get bytes() {
    return BYTES_OF_HEAD + BYTES_OF_SAMPLE * this.length;
  }

  /** Ends, and returns the file. */
  stop() {
    release(this.stream, this.context);
    const samples = new Float32Array(this.length);
    let place = 0;
    for (const block of this.blocks) {
      samples.set(block, place);
      place += block.length;
    }
    return new File([writeWav(samples, this.context.sampleRate)], "recording.wav",
      { type: "audio/wav" });
  }
}

function release(stream, context) {
  stream.getTracks().forEach((track) => track.stop());
  context.close();
}

/** Returns 16-bit PCM of one channel, little-endian, behind the canonical header of RIFF WAVE. */
function writeWav(samples, rate) {
  const bytes = BYTES_OF_SAMPLE * samples.length;
  const view = new DataView(new ArrayBuffer(BYTES_OF_HEAD + bytes));
  const letters = (place, text) => [...text].forEach(
    (letter, number) => view.setUint8(place + number, letter.charCodeAt(0)));
  letters(0, "RIFF");
  view.setUint32(4, BYTES_OF_HEAD - 8 + bytes, true);
  letters(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of what follows up to "data"
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * BYTES_OF_SAMPLE, true);
  view.setUint16(32, BYTES_OF_SAMPLE, true);
  view.setUint16(34, 8 * BYTES_OF_SAMPLE, true);
  letters(36, "data");
  view.setUint32(40, bytes, true);
  samples.forEach((sample, number) => view.setInt16(
    BYTES_OF_HEAD + BYTES_OF_SAMPLE * number,
    Math.round(32767 * Math.max(-1, Math.min(1, sample))), true));
  return view.buffer;
}
