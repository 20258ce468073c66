//! Synthesises a sound from its layers, and writes it as a WAV file.

use std::f32::consts::TAU;

use bytes::{BufMut, Bytes, BytesMut};

/// Samples per second: half of a CD's, enough for effects.
pub(super) const RATE: u32 = 22_050;

/// The amplitude of the loudest sample.
const PEAK: f32 = 0.9;

/// A layer of a sound: a wave that glides from one pitch to another, with an attack and an exponential decay.
pub(super) struct Layer {
    pub(super) wave: Wave,
    /// Hertz at its start and its end.
    pub(super) pitch: (f32, f32),
    /// Seconds at which it starts, and that it lasts.
    pub(super) start: f32,
    pub(super) length: f32,
    /// Seconds of the attack, and the decay's rate per second (0: none).
    pub(super) attack: f32,
    pub(super) decay: f32,
    pub(super) gain: f32,
    /// How many times it is played, one after another.
    pub(super) times: u32,
}

#[derive(Clone, Copy)]
pub(super) enum Wave {
    Sine,
    Triangle,
    Saw,
    Square,
    /// Noise through a band-pass filter at the pitch.
    Noise,
    /// A sine with a bell's overtones.
    Bell,
}

use Wave::{Bell, Noise, Saw, Sine, Square, Triangle};

/// The samples of all layers together, scaled to `PEAK`.
pub(super) fn synthesised(layers: &[Layer]) -> Vec<f32> {
    let end = |layer: &Layer| layer.start + layer.length * layer.times as f32;
    let seconds = layers.iter().map(end).fold(0.0, f32::max);
    let mut samples = vec![0.0; (seconds * RATE as f32) as usize];
    for layer in layers {
        for time in 0..layer.times {
            let start = ((layer.start + layer.length * time as f32) * RATE as f32) as usize;
            layer.add_to(&mut samples[start..], time);
        }
    }
    let loudest = samples.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
    samples.iter_mut().for_each(|sample| *sample *= PEAK / loudest.max(f32::EPSILON));
    samples
}

impl Layer {
    /// Adds its `time`-th repetition, beginning at the first of `samples`.
    fn add_to(&self, samples: &mut [f32], time: u32) {
        let count = ((self.length * RATE as f32) as usize).min(samples.len());
        let mut phase = 0.0_f32;
        // A linear congruential generator (constants of Numerical Recipes): noise has to be the same every time.
        let mut seed = 0x9E37_79B9_u32 ^ self.pitch.0.to_bits() ^ time.wrapping_mul(0x85EB_CA6B);
        let (mut low, mut band) = (0.0_f32, 0.0_f32);
        for (place, sample) in samples[..count].iter_mut().enumerate() {
            let at = place as f32 / RATE as f32;
            let done = place as f32 / count as f32;
            let pitch = self.pitch.0 + (self.pitch.1 - self.pitch.0) * done;
            phase = (phase + pitch / RATE as f32).fract();
            let value = match self.wave {
                Sine => (TAU * phase).sin(),
                Triangle => 4.0 * (phase - 0.5).abs() - 1.0,
                Saw => 2.0 * phase - 1.0,
                Square => (phase - 0.5).signum() * 0.6,
                Bell => [(1.0, 1.0), (2.76, 0.5), (5.4, 0.25), (0.5, 0.3)]
                    .iter()
                    .fold(0.0, |sum, (ratio, gain)| {
                        sum + gain * (-at * ratio).exp() * (TAU * pitch * ratio * at).sin()
                    }),
                Noise => {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let white = (seed >> 8) as f32 / 8_388_608.0 - 1.0;
                    // The band-pass output of a state-variable filter (Chamberlin), which is not stable beyond 1.1.
                    let f = (2.0 * (std::f32::consts::PI * pitch / RATE as f32).sin()).min(1.1);
                    low += f * band;
                    band += f * (white - low - 0.7 * band);
                    band
                }
            };
            let swell = (at / self.attack).min(1.0);
            // The last 8 ms fade out, so that nothing clicks.
            let fade = ((1.0 - done) * count as f32 / (0.008 * RATE as f32)).min(1.0);
            *sample += value * self.gain * swell * fade * (-self.decay * at).exp();
        }
    }
}

/// A WAV file: 16-bit PCM, mono.
pub(super) fn wav(samples: &[f32]) -> Bytes {
    let size = samples.len() as u32 * 2;
    let mut file = BytesMut::with_capacity(44 + size as usize);
    file.put_slice(b"RIFF");
    file.put_u32_le(36 + size);
    file.put_slice(b"WAVEfmt ");
    file.put_u32_le(16);
    file.put_u16_le(1); // PCM
    file.put_u16_le(1); // mono
    file.put_u32_le(RATE);
    file.put_u32_le(RATE * 2);
    file.put_u16_le(2);
    file.put_u16_le(16);
    file.put_slice(b"data");
    file.put_u32_le(size);
    for sample in samples {
        file.put_i16_le((sample * f32::from(i16::MAX)) as i16);
    }
    file.freeze()
}
