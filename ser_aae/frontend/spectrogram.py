"""Log spectrograms of 128 bins over 0 to 8 kHz (Sec. 4.2; decisions F3 to F5)."""

from functools import lru_cache

import numpy as np

from ser_aae.config import FrontEndConfig

PackedBands = tuple[tuple[int, tuple[float, ...]], ...]
"""First FFT bin of each band, and the weights of that bin and those after it; no band is empty."""


def window_samples(config: FrontEndConfig) -> int:
    """Return the length of the analysis window in samples."""
    return round(config.window_ms * config.sample_rate_hz / 1000)


def shift_samples(config: FrontEndConfig) -> int:
    """Return the shift between frames in samples."""
    return round(config.shift_ms * config.sample_rate_hz / 1000)


def num_frames(num_samples: int, config: FrontEndConfig) -> int:
    """Return how many frames a signal gives: whole windows only, at least one.

    A signal shorter than one window is padded with zeros to one. This is the only place
    that knows the relation of samples and frames.
    """
    spare = max(num_samples - window_samples(config), 0)
    return 1 + spare // shift_samples(config)


def log_spectrogram(
    signal: np.ndarray, config: FrontEndConfig, bands: np.ndarray | None = None
) -> np.ndarray:
    """Return the log power spectrogram of a signal.

    Power of Hamming-windowed frames, gathered in bands, as `10 log10`, and not lower than
    `config.floor_db` under the loudest value of the utterance. The level itself is kept:
    loudness says much about emotion.

    Args:
        signal: `(samples,)` float32 at `config.sample_rate_hz`.
        config: The front end.
        bands: What `band_weights` gives for it, where that is at hand.

    Returns:
        `(num_frames, config.bins)` float32 in dB; frame t begins at sample t * shift.
    """
    length, shift = window_samples(config), shift_samples(config)
    frames = num_frames(len(signal), config)
    padded = np.zeros(max(len(signal), length), np.float32)
    padded[: len(signal)] = signal
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)[::shift][:frames]
    spectrum = np.fft.rfft(windows * hamming_window(length), n=config.fft_size)
    power = np.square(np.abs(spectrum), dtype=np.float32)
    bands = band_weights(config) if bands is None else bands
    decibel = 10.0 * np.log10(np.maximum(power @ bands, 1e-10))
    floored = np.maximum(decibel, decibel.max() - config.floor_db)
    return floored.astype(np.float32, copy=False)


def band_frequencies_hz(config: FrontEndConfig) -> np.ndarray:
    """Return the centre of each band in Hz, `(bins,)`."""
    bands = band_weights(config)
    bin_hz = np.arange(config.fft_size // 2 + 1) * config.sample_rate_hz / config.fft_size
    return (bin_hz @ bands) / bands.sum(axis=0)


@lru_cache(maxsize=4)
def hamming_window(length: int) -> np.ndarray:
    """Return the periodic Hamming window, the one for spectral analysis."""
    return np.hamming(length + 1)[:-1].astype(np.float32)


@lru_cache(maxsize=4)
def band_weights(config: FrontEndConfig) -> np.ndarray:
    """Return the `(fft_size // 2 + 1, bins)` weights that gather FFT bins into bands."""
    fft_bins = config.fft_size // 2 + 1
    if config.scale == "mel":
        import librosa  # here, because importing it takes longer than most commands run

        mel = librosa.filters.mel(
            sr=config.sample_rate_hz,
            n_fft=config.fft_size,
            n_mels=config.bins,
            fmax=config.sample_rate_hz / 2,
            norm=None,
        )
        return _fill_empty(mel.T.astype(np.float32), config)
    per_band = (fft_bins - 1) // config.bins
    bands = np.zeros((fft_bins, config.bins), np.float32)
    gathered = np.repeat(np.eye(config.bins) / per_band, per_band, axis=0)
    bands[1 : 1 + len(gathered)] = gathered
    return bands


def pack_bands(bands: np.ndarray) -> PackedBands:
    """Return what `band_weights` gives as plain values; each lies in neighbouring FFT bins."""
    packed = []
    for weights in bands.T:
        (places,) = np.nonzero(weights)
        packed.append((int(places[0]), tuple(weights[places[0] : places[-1] + 1].tolist())))
    return tuple(packed)


def unpack_bands(packed: PackedBands, config: FrontEndConfig) -> np.ndarray:
    """Return what `pack_bands` was given, `(fft_size // 2 + 1, bins)` float32, to the bit.

    Raises:
        ValueError: Not the bands of such a front end.
    """
    bands = np.zeros((config.fft_size // 2 + 1, config.bins))
    if len(packed) != config.bins:
        raise ValueError(f"bands: expected {config.bins}, found {len(packed)}")
    for band, (first, weights) in enumerate(packed):
        if not 0 <= first < first + len(weights) <= len(bands):
            raise ValueError(
                f"bands: expected FFT bins 0 to {len(bands) - 1}, found {len(weights)} from {first}"
            )
        bands[first : first + len(weights), band] = weights
    are_shares = (bands >= 0) & (bands <= 1)  # of NaN this is false, too
    if not (are_shares.all() and bands.any(axis=0).all()):
        raise ValueError("bands: expected weights from 0 to 1, and one over 0 in each band")
    return bands.astype(np.float32)


def _fill_empty(bands: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Give each mel band narrower than the FFT's resolution the two bins around its centre.

    128 bands over 8 kHz are narrower than 31.25 Hz at the bottom, so that some triangles
    fall between two FFT bins and would be silent for ever.
    """
    import librosa  # here, because importing it takes longer than most commands run

    centres_hz = librosa.mel_frequencies(config.bins + 2, fmax=config.sample_rate_hz / 2)[1:-1]
    position = centres_hz * config.fft_size / config.sample_rate_hz
    filled = bands.copy()
    for band in np.flatnonzero(bands.sum(axis=0) == 0):
        below = int(position[band])
        share = float(position[band] - below)
        filled[below, band], filled[below + 1, band] = 1.0 - share, share
    return filled
