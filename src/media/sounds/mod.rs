//! The sounds that `/play NAME` plays. The binary carries their recipes; each is synthesised when it is first asked for.

mod synthesis;

use std::sync::OnceLock;

use bytes::Bytes;

use synthesis::{
    Layer,
    Wave::{self, Bell, Noise, Saw, Sine, Square, Triangle},
    synthesised, wav,
};

/// A sound. Its WAV file is made at the first use.
pub struct Sound {
    pub name: &'static str,
    pub emoji: &'static str,
    pub title: &'static str,
    layers: &'static [Layer],
    wav: OnceLock<Bytes>,
}

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

/// All sounds, in order of name.
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

/// A sound by its name.
pub fn find(name: &str) -> Option<&'static Sound> {
    SOUNDS.iter().find(|sound| sound.name == name)
}

impl Sound {
    /// The sound as a WAV file: 16-bit PCM, mono, 22,050 samples per second.
    pub fn wav(&self) -> Bytes {
        self.wav.get_or_init(|| wav(&synthesised(self.layers))).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{synthesis::RATE, *};

    #[test]
    fn sounds_are_short_audible_and_unclipped() {
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
            assert_eq!(wav(&synthesised(sound.layers)), file, "{} is not the same twice", sound.name);
        }
    }

    #[test]
    fn names_are_unique_lower_case_words() {
        for (place, sound) in SOUNDS.iter().enumerate() {
            assert!(sound.name.bytes().all(|byte| byte.is_ascii_lowercase()));
            assert!(SOUNDS[..place].iter().all(|other| other.name != sound.name));
        }
        assert!(find("nothing").is_none());
    }
}
