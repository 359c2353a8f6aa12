use super::*;
use crate::text::width::{cluster_width, clusters};
use proptest::prelude::*;

fn is_clean(s: &str, breaks: bool) -> bool {
    s.chars().all(|c| (breaks && c == '\n') || sanitise::is_drawable(c))
        && !s.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{85}', '\u{2028}'])
}

#[test]
fn control_codes_become_visible_signs() {
    assert_eq!(Line::new("a\x1b[31mb\x07").as_str(), "a␛[31mb␇");
    assert_eq!(Line::new("\u{9b}31m").as_str(), "\u{fffd}31m");
    assert_eq!(Line::new("one\r\ntwo\tthree\u{2028}four").as_str(), "one two three four");
    assert_eq!(Text::plain("one\r\ntwo\rthree\n\n").as_str(), "one\ntwo\nthree");
}

#[test]
fn direction_tricks_and_invisible_characters_are_stopped() {
    assert_eq!(Line::new("txt.\u{202e}exe").as_str(), "txt.\u{fffd}exe");
    assert_eq!(Line::new("pay\u{200b}pal\u{feff}\u{200d}").as_str(), "paypal");
    assert_eq!(Line::new("a\u{3000}\u{a0}\u{3164} b").as_str(), "a b");
    assert_eq!(Line::new("\u{301}x").as_str(), "x");
    assert_eq!(Line::new("👨\u{200c}\t").as_str(), "👨");
    assert_eq!(Text::plain("👨\u{200d} \n").as_str(), "👨");
    assert_eq!(Line::new("\u{e000}\u{378}").as_str(), "\u{fffd}\u{fffd}");
}

#[test]
fn towers_of_marks_are_cut() {
    let zalgo = format!("z{}!", "\u{300}".repeat(50));
    assert_eq!(Line::new(&zalgo).as_str(), "z\u{300}\u{300}\u{300}\u{300}!");
}

#[test]
fn sequences_that_need_joiners_survive() {
    for s in [
        "👨‍👩‍👧‍👦",
        "🏳️‍🌈",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "1️⃣",
        "❤️",
        "می\u{200c}خواهم",
        "नमस्ते",
        "שלום",
        "日本語",
    ] {
        assert_eq!(Line::new(s).as_str(), s);
    }
    assert_eq!(width("👨‍👩‍👧‍👦"), 2);
    assert_eq!(width("日本語 é"), 8);
}

#[test]
fn truncation_says_so() {
    assert_eq!(truncate("Building", 8, "…"), "Building");
    assert_eq!(truncate("Building 34", 8, "…"), "Buildin…");
    assert_eq!(truncate("日本語", 4, "…"), "日…");
    assert_eq!(truncate("in a meeting", 5, "…"), "in a…");
    assert_eq!(truncate("abc", 0, "…"), "");
}

#[test]
fn a_link_that_fits_in_a_line_stays_whole() {
    let lines = |s: &str, w| wrap::wrap(s, w).into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines("look: https://a.example/b", 22), ["look:", "https://a.example/b"]);
    assert_eq!(lines("look: https://a.example/bc/de", 16), ["look: https://", "a.example/bc/de"]);
}

#[test]
fn words_wrap_between_words_and_ideographs_anywhere() {
    let lines = |t: &str, w| Text::plain(t).wrap(w).iter().map(|l| l.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines("did the numbers land?", 10), ["did the", "numbers", "land?"]);
    assert_eq!(lines("日本語の文章。です", 12), ["日本語の文", "章。です"]);
    assert_eq!(lines("aaaaaaaaaaaaaaaaaaaaaaaaa", 10), ["aaaaaaaaaa", "aaaaaaaaaa", "aaaaa"]);
    assert_eq!(lines("see https://wiki.contoso.example/q3 now", 20), ["see https://", "wiki.contoso.example", "/q3 now"]);
    assert_eq!(lines("a\n\nb", 10), ["a", "", "b"]);
    assert_eq!(lines("", 10), [""]);
}

#[test]
fn links_of_every_kind_are_found() {
    let l = links("see https://a.example/x?y=1, (sip:bob@a.example) or carol@a.example tel:+4930123.");
    let targets: Vec<_> = l.iter().map(|l| l.target.as_str()).collect();
    assert_eq!(targets, ["https://a.example/x?y=1", "sip:bob@a.example", "mailto:carol@a.example", "tel:+4930123"]);
    assert!(links("javascript:alert(1) file:///etc/passwd").is_empty());
}

#[test]
fn html_becomes_text() {
    let t = Text::html(
        "<html><head><title>x</title><style>p{}</style></head><body><p>Hello,\r\n<b>world</b>&nbsp;&lt;3 &#128512;</p><script>alert('<b>')</script>\
         <ul><li>one<li>two</ul><a href=\"https://a.example/q\">the sheet</a><br>1 < 2 & 3</body></html>",
    );
    assert_eq!(t.as_str(), "Hello, world <3 😀\n• one\n• two\nthe sheet (https://a.example/q)\n1 < 2 & 3");
    assert_eq!(Text::html("a&#27;[2Jb").as_str(), "a␛[2Jb");
    assert_eq!(Text::html("<a href='https://x.example'>https://x.example</a>").as_str(), "https://x.example");
}

#[test]
fn rtf_becomes_text() {
    let t = Text::rtf(
        "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}{\\colortbl;\\red0;}{\\*\\generator x;}\\f0\\fs20 \
         \\u1055?\\u1088?\\u1080?\\u1074?\\u1077?\\u1090? caf\\'e9\\par second \\{line\\}\\uc0\\u-10179\\u-8704 !}",
    );
    assert_eq!(t.as_str(), "Привет café\nsecond {line}😀!");
    assert_eq!(Text::rtf("plain words").as_str(), "plain words");
}

#[test]
fn rtf_says_where_its_links_lead() {
    let link = |instruction: &str, words: &str| {
        let t = format!("{{\\rtf1 see {{\\field{{\\*\\fldinst{{{instruction}}}}}{{\\fldrslt{{\\ul {words}}}}}}} now}}");
        Text::rtf(&t).as_str().to_owned()
    };
    assert_eq!(link("HYPERLINK \"https://example.org/x\"", "here"), "see here (https://example.org/x) now");
    assert_eq!(link("HYPERLINK https://example.org/x", "https://example.org/x"), "see https://example.org/x now");
    assert_eq!(link("HYPERLINK \\\\l \"chapter\"", "here"), "see here now");
    assert_eq!(link("PAGE", "7"), "see 7 now");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_dangerous_leaves(s in "\\PC{0,20}|[\\x00-\\x{9f}\\u{200b}-\\u{206f}a-c \\u{300}\\u{1f468}]{0,40}|.{0,40}") {
        prop_assert!(is_clean(Line::new(&s).as_str(), false));
        for t in [Text::plain(&s), Text::html(&s), Text::rtf(&s), Text::rtf(&format!("{{\\rtf1 {s}}}"))] {
            prop_assert!(is_clean(t.as_str(), true), "{:?}", t);
        }
    }

    #[test]
    fn cleaning_twice_is_cleaning_once(s in "[\\x00-\\x{9f}\\u{200b}-\\u{206f}a-c \\u{300}\\u{1f468}\\u{fe0f}]{0,40}") {
        let once = Line::new(&s);
        prop_assert_eq!(&Line::new(once.as_str()), &once);
        let once = Text::plain(&s);
        prop_assert_eq!(&Text::plain(once.as_str()), &once);
    }

    #[test]
    fn widths_add_up(s in ".{0,40}") {
        let l = Line::new(&s);
        let sum: usize = clusters(l.as_str()).map(|(g, _)| cluster_width(g)).sum();
        prop_assert_eq!(l.width(), sum);
    }

    #[test]
    fn truncated_text_fits(s in ".{0,40}", w in 0usize..30) {
        prop_assert!(Line::new(&s).truncate(w).width() <= w);
    }

    #[test]
    fn wrapping_loses_nothing_and_fits(s in "([a-z]{1,9}|日本|👨‍👩‍👧|é| |\n|/|-|，){0,60}", w in 2usize..40) {
        let t = Text::plain(&s);
        let lines = t.wrap(w);
        let joined: String = lines.iter().map(|l| l.as_str().replace(' ', "")).collect();
        prop_assert_eq!(joined, t.as_str().replace([' ', '\n'], ""));
        prop_assert!(lines.iter().all(|l| l.width() <= w), "{:?}", lines);
        prop_assert_eq!(lines.len(), t.height(w));
    }
}

#[test]
fn the_short_way_to_clusters_finds_those_of_the_standard() {
    use unicode_segmentation::UnicodeSegmentation;
    let texts = [
        "a\r\nb",
        "e\u{301}x e",
        "🇩🇪🇫🇷a🇩",
        "👩‍👩‍👧 a",
        "a\u{200d}b",
        "日本 x",
        "a\n\u{301}",
        "क्षि ka",
        "1\u{fe0f}\u{20e3}2",
        "\u{600}1 a",
    ];
    for text in texts {
        let found: Vec<&str> = clusters(text).map(|(g, _)| g).collect();
        assert_eq!(found, text.graphemes(true).collect::<Vec<_>>());
    }
}

#[test]
fn a_link_that_a_break_cuts_keeps_its_whole_target() {
    let url = "https://wiki.contoso.example/a/very/long/address/indeed";
    let rows = Text::plain(&format!("see\nhere: {url} and mail bob@contoso.example")).wrap_with_links(20);
    let pieces: Vec<(String, String)> = rows
        .iter()
        .flat_map(|(l, links)| links.iter().map(|k| (l.as_str()[k.start..k.end].to_owned(), k.target.clone())))
        .collect();
    let web: String = pieces.iter().filter(|p| p.1 == url).map(|p| p.0.as_str()).collect();
    assert_eq!(web, url);
    assert!(pieces.contains(&("bob@contoso.example".into(), "mailto:bob@contoso.example".into())), "{pieces:?}");
}

#[test]
fn a_row_without_words_has_no_links() {
    let rows = Text::plain("a\n\nhttp://b.example").wrap_with_links(40);
    assert_eq!(rows.iter().map(|r| r.1.len()).collect::<Vec<_>>(), [0, 0, 1]);
}

#[test]
fn the_terminal_is_told_of_short_clean_addresses_of_known_schemes_only() {
    use super::links::{HYPERLINK, Hyperlink};
    for good in ["http://a.b", "HTTPS://a.b/c?d=e#f", "sip:bob@contoso.example", "mailto:bob@contoso.example"] {
        assert!(Hyperlink::new(good).is_some(), "{good}");
    }
    let long = format!("http://{}", "a".repeat(HYPERLINK - 6));
    for bad in
        ["javascript:alert(1)", "file:///etc/passwd", "http://", "http://a b", "http://a\x1b]8;;\x07", "http://ä.example", &long]
    {
        assert!(Hyperlink::new(bad).is_none(), "{bad:?}");
    }
}
