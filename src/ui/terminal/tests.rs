//! The writer against another terminal: whatever is drawn, the vt100 emulator must show it.

use super::Writer;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier, Style};

struct Bench {
    writer: Writer<Vec<u8>>,
    emulator: vt100::Parser,
    shown: Buffer,
    cursor: Option<Position>,
}

impl Bench {
    fn new(w: u16, h: u16) -> Bench {
        let writer = Writer::new(Vec::new(), Size::new(w, h));
        let emulator = vt100::Parser::new(h.try_into().unwrap(), w.try_into().unwrap(), 0);
        Bench { writer, emulator, shown: Buffer::default(), cursor: None }
    }

    /// Draws, lets the emulator read it, and gives the octets.
    fn draw(&mut self, cursor: Option<(u16, u16)>, f: impl FnOnce(&mut Buffer)) -> Vec<u8> {
        let mut copy = None;
        let draw = |buffer: &mut Buffer| {
            f(buffer);
            copy = Some(buffer.clone());
            cursor
        };
        self.writer.draw(draw).unwrap();
        self.shown = copy.unwrap();
        self.cursor = cursor.map(Position::from);
        let bytes = std::mem::take(self.writer.out_mut());
        self.emulator.process(&bytes);
        bytes
    }

    fn check(&self, what: &str) {
        let screen = self.emulator.screen();
        for y in 0..self.shown.area.height {
            let mut x = 0;
            while x < self.shown.area.width {
                let want = &self.shown[(x, y)];
                let got = screen.cell(y, x).unwrap();
                let symbol = if got.contents().is_empty() { " " } else { got.contents() };
                assert_eq!(symbol, want.symbol(), "{what}: text at {x},{y}");
                assert_eq!(got.bgcolor(), colour(want.bg), "{what}: background at {x},{y}");
                assert_eq!(got.inverse(), want.modifier.contains(Modifier::REVERSED), "{what}: inverse at {x},{y}");
                assert_eq!(got.underline(), want.modifier.contains(Modifier::UNDERLINED), "{what}: underline at {x},{y}");
                if symbol != " " {
                    assert_eq!(got.fgcolor(), colour(want.fg), "{what}: colour at {x},{y}");
                    assert_eq!(got.bold(), want.modifier.contains(Modifier::BOLD), "{what}: bold at {x},{y}");
                    assert_eq!(got.italic(), want.modifier.contains(Modifier::ITALIC), "{what}: italic at {x},{y}");
                }
                x += u16::try_from(crate::text::width(want.symbol()).max(1)).unwrap();
            }
        }
        assert_eq!(screen.hide_cursor(), self.cursor.is_none(), "{what}: cursor shown");
        if let Some(c) = self.cursor {
            assert_eq!(screen.cursor_position(), (c.y, c.x), "{what}: cursor place");
        }
    }
}

fn colour(c: Color) -> vt100::Color {
    match c {
        Color::Reset => vt100::Color::Default,
        Color::Red => vt100::Color::Idx(1),
        Color::Green => vt100::Color::Idx(2),
        Color::DarkGray => vt100::Color::Idx(8),
        Color::Indexed(n) => vt100::Color::Idx(n),
        Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
        other => panic!("not in this test: {other:?}"),
    }
}

/// A small generator of its own, so that a failing frame has a number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn style(&mut self) -> Style {
        let colours = [Color::Reset, Color::Red, Color::Green, Color::DarkGray, Color::Indexed(200), Color::Rgb(1, 2, 3)];
        let mods = [
            Modifier::empty(),
            Modifier::BOLD,
            Modifier::ITALIC,
            Modifier::UNDERLINED,
            Modifier::REVERSED,
            Modifier::BOLD | Modifier::ITALIC,
        ];
        let bg = if self.roll(4) == 0 { colours[self.roll(6) as usize] } else { Color::Reset };
        Style::new().fg(colours[self.roll(6) as usize]).bg(bg).add_modifier(mods[self.roll(6) as usize])
    }
}

#[test]
fn random_frames_look_the_same_on_another_terminal() {
    let words =
        ["hello", " ", "     ", "日本", "é", "●", "──────", "a", "                    ", "xyz wide 中 tail", "Ж", "👍", "💬 hi"];
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let mut bench = Bench::new(37, 9);
        let mut canvas = Buffer::empty(ratatui::layout::Rect::new(0, 0, 37, 9));
        for n in 0..40 {
            if dice.roll(12) == 0 {
                canvas.reset();
            }
            for _ in 0..dice.roll(6) {
                let (x, y) = (dice.roll(37) as u16, dice.roll(9) as u16);
                let style = dice.style();
                canvas.set_string(x, y, words[dice.roll(words.len() as u64) as usize], style);
            }
            let cursor = (dice.roll(3) > 0).then(|| (dice.roll(37) as u16, dice.roll(9) as u16));
            // Half-covered wide clusters are not well-formed in ratatui; blank what is left of them.
            let mut clean = Buffer::empty(canvas.area);
            for y in 0..9 {
                let mut x = 0;
                while x < 37 {
                    let cell = canvas[(x, y)].clone();
                    let w = crate::text::width(cell.symbol()).max(1) as u16;
                    if x + w <= 37 {
                        clean[(x, y)] = cell;
                    }
                    x += w;
                }
            }
            canvas = clean;
            bench.draw(cursor, |b| b.merge(&canvas));
            bench.check(&format!("seed {seed}, frame {n}"));
        }
    }
}

#[test]
fn a_typed_character_costs_one_octet() {
    let mut bench = Bench::new(120, 40);
    let frame = |n: u16| {
        move |b: &mut Buffer| {
            b.set_string(0, 0, "status", Style::new().add_modifier(Modifier::BOLD));
            b.set_string(40, 38, "x".repeat(usize::from(n)), Style::new());
        }
    };
    bench.draw(Some((40, 38)), frame(0));
    bench.draw(Some((41, 38)), frame(1));
    for n in 2..60 {
        assert_eq!(bench.draw(Some((40 + n, 38)), frame(n)), b"x");
    }
    assert_eq!(bench.draw(Some((98, 38)), frame(58)), b"\x08 \x08");
    bench.check("typing");
}

#[test]
fn nothing_new_costs_nothing() {
    let mut bench = Bench::new(80, 24);
    bench.draw(Some((3, 3)), |b| b.set_string(0, 0, "words", Style::new().fg(Color::Red)));
    assert_eq!(bench.draw(Some((3, 3)), |b| b.set_string(0, 0, "words", Style::new().fg(Color::Red))), b"");
}

#[test]
fn a_presence_change_beside_the_composer_is_cheap() {
    let mut bench = Bench::new(120, 40);
    let frame = |glyph: &'static str, c: Color, words: &'static str| {
        move |b: &mut Buffer| {
            b.set_string(3, 11, glyph, Style::new().fg(c));
            b.set_string(5, 11, "Bob Kelly", Style::new());
            b.set_string(20, 11, words, Style::new().fg(Color::DarkGray));
            b.set_string(36, 38, "text", Style::new());
        }
    };
    bench.draw(Some((40, 38)), frame("●", Color::Green, ""));
    for (g, c, w) in [("■", Color::Red, "Busy"), ("◐", Color::Indexed(3), "Away"), ("●", Color::Green, "")] {
        let bytes = bench.draw(Some((40, 38)), frame(g, c, w));
        bench.check(w);
        assert!(bytes.len() <= 36, "{} octets: {:?}", bytes.len(), String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn only_long_frames_are_bracketed() {
    let mut bench = Bench::new(80, 24);
    let long =
        bench.draw(None, |b| (0..20).for_each(|y| b.set_string(0, y, format!("line {y} of many, all different"), Style::new())));
    assert!(long.starts_with(b"\x1b[?2026h") && long.ends_with(b"\x1b[?2026l"));
    let short =
        bench.draw(None, |b| (0..20).for_each(|y| b.set_string(0, y, format!("line {y} of many, all differenT"), Style::new())));
    assert!(!short.starts_with(b"\x1b[?2026h") || short.len() > 256);
}

#[test]
fn after_somebody_else_wrote_everything_is_painted_again() {
    let mut bench = Bench::new(20, 4);
    bench.draw(None, |b| b.set_string(2, 1, "words", Style::new()));
    bench.emulator.process(b"\x1b[1;1Hgarbage\x1b[31m");
    bench.writer.forget();
    bench.draw(None, |b| b.set_string(2, 1, "words", Style::new()));
    bench.check("after the editor");
}

#[test]
fn a_new_size_is_taken_over() {
    let mut bench = Bench::new(20, 4);
    bench.draw(None, |b| b.set_string(2, 1, "words", Style::new()));
    bench.writer.resize(Size::new(30, 6));
    bench.emulator.screen_mut().set_size(6u16.try_into().unwrap(), 30u16.try_into().unwrap());
    bench.draw(None, |b| b.set_string(22, 5, "words", Style::new()));
    bench.check("resized");
}

/// A chat of full width between a title and a composer; `at` is the number of the line that stands on top.
fn chat(at: usize) -> impl FnOnce(&mut Buffer) {
    move |b: &mut Buffer| {
        b.set_string(0, 0, "Conversations", Style::new().add_modifier(Modifier::REVERSED));
        for y in 1..38u16 {
            let line = at + usize::from(y);
            let text = format!("10:{:02} somebody  message {line} {}", line % 60, "words of it ".repeat(1 + line * 7 % 5));
            b.set_string(0, y, "│", Style::new().fg(Color::DarkGray));
            b.set_string(1, y, text, Style::new().fg(if line.is_multiple_of(3) { Color::Red } else { Color::Reset }));
        }
        b.set_string(0, 38, "─".repeat(120), Style::new());
    }
}

#[test]
fn lines_that_move_are_not_painted_again() {
    let mut bench = Bench::new(120, 40);
    bench.draw(Some((5, 39)), chat(0));
    for (at, most) in [(1, 150), (2, 150), (5, 340), (4, 150), (1, 340), (2, 150)] {
        let bytes = bench.draw(Some((5, 39)), chat(at));
        bench.check(&format!("line {at} on top"));
        assert!(bytes.len() <= most, "{} octets: {:?}", bytes.len(), String::from_utf8_lossy(&bytes));
    }
    bench.draw(Some((5, 39)), chat(500));
    bench.check("somewhere else");
}

#[test]
fn rows_that_move_in_part_or_by_any_number_look_the_same_on_another_terminal() {
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let mut bench = Bench::new(40, 14);
        let (mut at, mut side) = (100, 0);
        for n in 0..30 {
            at = (at + dice.roll(19)).saturating_sub(9);
            side += dice.roll(2);
            let (from, to) = (dice.roll(4) as u16, 10 + dice.roll(4) as u16);
            let list = dice.roll(3) > 0;
            bench.draw((dice.roll(2) > 0).then_some((3, 13)), |b| {
                for y in from..to {
                    let mut line = Dice(at + u64::from(y));
                    let style = line.style();
                    b.set_string(12, y, format!("{} {}", at + u64::from(y), "中x ".repeat(line.roll(7) as usize)), style);
                    if list {
                        b.set_string(0, y, format!("● name {}", (side + u64::from(y)) % 7), Style::new().fg(Color::Green));
                    }
                }
            });
            bench.check(&format!("seed {seed}, frame {n}"));
        }
    }
}
