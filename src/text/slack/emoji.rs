//! Slack's names of emoji.

/// Replaces names like `:fire:` by emoji, for the common ones.
pub(super) fn emojified(text: &str) -> String {
    if !text.contains(':') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(':') {
        out.push_str(&rest[..place]);
        let after = &rest[place + 1..];
        // Underscores may be escaped by now.
        let end = after.find(':').filter(|end| *end > 0 && *end < 40);
        let found = end.and_then(|end| Some((end, emoji_of(&after[..end].replace('\\', ""))?)));
        match found {
            Some((end, emoji)) => {
                out.push_str(emoji);
                rest = &after[end + 1..];
            }
            None => {
                out.push(':');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The emoji of a name, with or without colons.
pub(super) fn emoji_of(name: &str) -> Option<&'static str> {
    const EMOJI: [(&str, &str); 44] = [
        ("+1", "👍"),
        ("-1", "👎"),
        ("alarm_clock", "⏰"),
        ("arrow_down", "⬇️"),
        ("arrow_up", "⬆️"),
        ("bangbang", "‼️"),
        ("bell", "🔔"),
        ("black_circle", "⚫"),
        ("boom", "💥"),
        ("bug", "🐛"),
        ("chart_with_upwards_trend", "📈"),
        ("checkered_flag", "🏁"),
        ("construction", "🚧"),
        ("exclamation", "❗"),
        ("eyes", "👀"),
        ("fire", "🔥"),
        ("ghost", "👻"),
        ("green_heart", "💚"),
        ("hammer", "🔨"),
        ("heart", "❤️"),
        ("heavy_check_mark", "✔️"),
        ("hourglass", "⌛"),
        ("information_source", "ℹ️"),
        ("large_blue_circle", "🔵"),
        ("large_green_circle", "🟢"),
        ("large_yellow_circle", "🟡"),
        ("lock", "🔒"),
        ("mag", "🔍"),
        ("mega", "📣"),
        ("no_entry", "⛔"),
        ("package", "📦"),
        ("red_circle", "🔴"),
        ("robot_face", "🤖"),
        ("rocket", "🚀"),
        ("rotating_light", "🚨"),
        ("skull", "💀"),
        ("snail", "🐌"),
        ("sos", "🆘"),
        ("tada", "🎉"),
        ("thumbsup", "👍"),
        ("warning", "⚠️"),
        ("white_check_mark", "✅"),
        ("x", "❌"),
        ("zap", "⚡"),
    ];
    let name = name.trim_matches(':');
    EMOJI.iter().find(|(known, _)| *known == name).map(|(_, emoji)| *emoji)
}
