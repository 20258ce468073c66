//! The sounds that `/play NAME` plays. The binary carries their recipes; each is synthesised when it is first asked for.

use std::{f32::consts::TAU, sync::OnceLock};

use bytes::{BufMut, Bytes, BytesMut};

/// Samples a second: enough for effects, and half the size of a CD's.
const RATE: u32 = 22_050;

/// How loud the loudest sample is.
const PEAK: f32 = 0.9;

pub struct Sound {
    pub name: &'static str,
    pub emoji: &'static str,
    pub title: &'static str,
    layers: &'static [Layer],
    wav: OnceLock<Bytes>,
}

/// One voice of a sound: a wave that glides from one pitch to another, swells and dies away.
struct Layer {
    wave: Wave,
    /// Hertz at its start and its end.
    pitch: (f32, f32),
    /// Seconds at which it starts, and that it lasts.
    start: f32,
    length: f32,
    /// Seconds to its loudest, and how fast it dies away after (0 not at all).
    attack: f32,
    decay: f32,
    gain: f32,
    /// Repeats of itself, one after another.
    times: u32,
}

#[derive(Clone, Copy)]
enum Wave {
    Sine,
    Triangle,
    Saw,
    Square,
    /// Noise through a filter that lets the pitch and what is near it pass.
    Noise,
    /// A sine with bells' own overtones.
    Bell,
}

use Wave::{Bell, Noise, Saw, Sine, Square, Triangle};

const fn layer(wave: Wave, pitch: (f32, f32), start: f32, length: f32, decay: f32, gain: f32) -> Layer {
    Layer { wave, pitch, start, length, attack: 0.005, decay, gain, times: 1 }
}

const fn slow(layer: Layer, attack: f32) -> Layer {
    Layer { attack, ..layer }
}

const fn times(times: u32, layer: Layer) -> Layer {
    Layer { times, ..layer }
}

const fn sound(
    name: &'static str,
    emoji: &'static str,
    title: &'static str,
    layers: &'static [Layer],
) -> Sound {
    Sound { name, emoji, title, layers, wav: OnceLock::new() }
}

pub static SOUNDS: [Sound; 16] = [
    sound(
        "applause",
        "👏",
        "Applause",
        &[
            times(26, layer(Noise, (1_900.0, 1_500.0), 0.0, 0.07, 40.0, 1.0)),
            times(19, layer(Noise, (2_600.0, 2_200.0), 0.02, 0.096, 50.0, 0.8)),
            slow(layer(Noise, (1_400.0, 1_200.0), 0.0, 1.9, 0.8, 0.3), 0.4),
        ],
    ),
    sound("bell", "🔔", "Bell", &[layer(Bell, (880.0, 880.0), 0.0, 1.8, 2.6, 1.0)]),
    sound(
        "chime",
        "🎐",
        "Chime",
        &[
            layer(Bell, (1_046.5, 1_046.5), 0.0, 1.2, 3.5, 0.7),
            layer(Bell, (1_318.5, 1_318.5), 0.18, 1.2, 3.5, 0.7),
            layer(Bell, (1_568.0, 1_568.0), 0.36, 1.4, 3.0, 0.8),
        ],
    ),
    sound(
        "coin",
        "🪙",
        "Coin",
        &[
            layer(Square, (987.8, 987.8), 0.0, 0.08, 0.0, 0.5),
            layer(Square, (1_318.5, 1_318.5), 0.08, 0.6, 5.0, 0.5),
        ],
    ),
    sound(
        "crickets",
        "🦗",
        "Crickets",
        &[
            times(5, layer(Sine, (4_300.0, 4_400.0), 0.0, 0.42, 14.0, 0.5)),
            times(5, layer(Sine, (4_350.0, 4_450.0), 0.06, 0.42, 14.0, 0.6)),
            times(5, layer(Sine, (4_400.0, 4_500.0), 0.12, 0.42, 14.0, 0.7)),
        ],
    ),
    sound(
        "drumroll",
        "🥁",
        "Drum roll",
        &[
            times(38, layer(Noise, (320.0, 240.0), 0.0, 0.042, 30.0, 0.7)),
            layer(Noise, (5_200.0, 4_200.0), 1.6, 0.7, 4.0, 0.8),
            layer(Sine, (120.0, 60.0), 1.6, 0.3, 9.0, 1.0),
        ],
    ),
    sound(
        "gong",
        "🛎️",
        "Gong",
        &[
            slow(layer(Bell, (146.8, 145.0), 0.0, 2.4, 1.4, 1.0), 0.02),
            slow(layer(Bell, (220.0, 218.0), 0.0, 2.4, 1.9, 0.5), 0.06),
        ],
    ),
    sound(
        "heartbeat",
        "💓",
        "Heartbeat",
        &[
            times(2, layer(Sine, (64.0, 42.0), 0.0, 0.9, 12.0, 1.0)),
            times(2, layer(Sine, (56.0, 38.0), 0.22, 0.9, 14.0, 0.8)),
        ],
    ),
    sound(
        "horn",
        "📯",
        "Horn",
        &[
            slow(layer(Saw, (233.1, 233.1), 0.0, 0.9, 0.6, 0.5), 0.05),
            slow(layer(Saw, (293.7, 293.7), 0.0, 0.9, 0.6, 0.4), 0.05),
            slow(layer(Saw, (349.2, 349.2), 0.0, 0.9, 0.6, 0.4), 0.05),
        ],
    ),
    sound("laser", "🔫", "Laser", &[times(2, layer(Saw, (2_400.0, 180.0), 0.0, 0.32, 6.0, 0.7))]),
    sound(
        "pop",
        "🎈",
        "Pop",
        &[
            layer(Sine, (420.0, 1_300.0), 0.0, 0.09, 24.0, 1.0),
            layer(Noise, (2_400.0, 1_800.0), 0.03, 0.3, 45.0, 0.5),
        ],
    ),
    sound(
        "rain",
        "🌧️",
        "Rain",
        &[
            slow(layer(Noise, (3_200.0, 2_800.0), 0.0, 2.3, 0.5, 0.6), 0.5),
            times(23, layer(Sine, (1_900.0, 900.0), 0.0, 0.1, 60.0, 0.25)),
        ],
    ),
    sound(
        "rimshot",
        "🥁",
        "Ba-dum tss",
        &[
            layer(Sine, (210.0, 120.0), 0.0, 0.2, 14.0, 1.0),
            layer(Sine, (170.0, 90.0), 0.22, 0.2, 14.0, 1.0),
            layer(Noise, (6_500.0, 5_500.0), 0.5, 0.8, 5.0, 0.8),
        ],
    ),
    sound(
        "tada",
        "🎉",
        "Ta-da",
        &[
            layer(Triangle, (523.3, 523.3), 0.0, 0.16, 4.0, 0.8),
            layer(Triangle, (523.3, 523.3), 0.2, 1.1, 2.2, 0.7),
            layer(Triangle, (659.3, 659.3), 0.2, 1.1, 2.2, 0.7),
            layer(Triangle, (784.0, 784.0), 0.2, 1.1, 2.2, 0.7),
            layer(Bell, (1_046.5, 1_046.5), 0.2, 1.2, 3.0, 0.4),
        ],
    ),
    sound(
        "trombone",
        "🎺",
        "Sad trombone",
        &[
            slow(layer(Saw, (311.1, 305.0), 0.0, 0.36, 0.8, 0.6), 0.04),
            slow(layer(Saw, (293.7, 288.0), 0.38, 0.36, 0.8, 0.6), 0.04),
            slow(layer(Saw, (277.2, 272.0), 0.76, 0.36, 0.8, 0.6), 0.04),
            slow(layer(Saw, (261.6, 205.0), 1.14, 1.0, 0.9, 0.6), 0.04),
        ],
    ),
    sound(
        "whistle",
        "😗",
        "Whistle",
        &[
            slow(layer(Sine, (1_050.0, 2_300.0), 0.0, 0.45, 0.4, 0.8), 0.05),
            slow(layer(Sine, (900.0, 2_000.0), 0.55, 0.3, 0.4, 0.8), 0.05),
            slow(layer(Sine, (2_000.0, 800.0), 0.85, 0.5, 0.6, 0.8), 0.02),
        ],
    ),
];

pub fn find(name: &str) -> Option<&'static Sound> {
    SOUNDS.iter().find(|sound| sound.name == name)
}

impl Sound {
    /// As a WAV file: 16-bit PCM, mono.
    pub fn wav(&self) -> Bytes {
        self.wav.get_or_init(|| wav(&self.synthesised())).clone()
    }

    fn synthesised(&self) -> Vec<f32> {
        let end = |layer: &Layer| layer.start + layer.length * layer.times as f32;
        let seconds = self.layers.iter().map(end).fold(0.0, f32::max);
        let mut samples = vec![0.0; (seconds * RATE as f32) as usize];
        for layer in self.layers {
            for time in 0..layer.times {
                let start = ((layer.start + layer.length * time as f32) * RATE as f32) as usize;
                layer.add_to(&mut samples[start..], time);
            }
        }
        let loudest = samples.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
        samples.iter_mut().for_each(|sample| *sample *= PEAK / loudest.max(f32::EPSILON));
        samples
    }
}

impl Layer {
    fn add_to(&self, samples: &mut [f32], time: u32) {
        let count = ((self.length * RATE as f32) as usize).min(samples.len());
        let mut phase = 0.0_f32;
        // Noise has to be the same every time: a small generator of our own (Numerical Recipes' constants).
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
                    // A state-variable filter (Chamberlin), its band output.
                    // Beyond this the filter would swing ever wider.
                    let f = (2.0 * (std::f32::consts::PI * pitch / RATE as f32).sin()).min(1.1);
                    low += f * band;
                    band += f * (white - low - 0.7 * band);
                    band
                }
            };
            let swell = (at / self.attack).min(1.0);
            // The last few milliseconds fade, so that nothing clicks.
            let fade = ((1.0 - done) * count as f32 / (0.008 * RATE as f32)).min(1.0);
            *sample += value * self.gain * swell * fade * (-self.decay * at).exp();
        }
    }
}

fn wav(samples: &[f32]) -> Bytes {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sound_is_short_audible_and_unclipped() {
        for sound in &SOUNDS {
            let file = sound.wav();
            assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
            let seconds = (file.len() - 44) as f32 / 2.0 / RATE as f32;
            assert!((0.2..=2.6).contains(&seconds), "{} lasts {seconds} s", sound.name);
            let samples: Vec<i16> =
                file[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
            let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or_default();
            assert!((29_000..=29_500).contains(&peak), "{} peaks at {peak}", sound.name);
            let loud = samples.iter().filter(|sample| sample.unsigned_abs() > 1_000).count();
            assert!(loud * 20 > samples.len(), "{} is nearly silent", sound.name);
            assert_eq!(wav(&sound.synthesised()), file, "{} is not the same twice", sound.name);
        }
    }

    #[test]
    fn names_are_words_that_are_there_once() {
        for (place, sound) in SOUNDS.iter().enumerate() {
            assert!(sound.name.bytes().all(|byte| byte.is_ascii_lowercase()));
            assert!(SOUNDS[..place].iter().all(|other| other.name != sound.name));
        }
        assert!(find("nothing").is_none());
    }
}
