package diag

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

func render(l List, src Sources) string {
	var b strings.Builder
	l.Render(&b, src, false)
	return b.String()
}

func TestRender(t *testing.T) {
	src := Sources{
		"a.yaml":     []byte("model:\n\tlr: 1\n  名前: x # 日本\nlast\r\n"),
		"argument 2": []byte("trianer::max_epochs=7"),
		"long.yaml":  []byte(strings.Repeat("x", 300) + "HERE" + strings.Repeat("y", 300)),
	}
	for _, c := range []struct {
		name string
		d    Diagnostic
		want string
	}{
		{"all of it",
			Diagnostic{Pos: Pos{"a.yaml", 1, 1, 5}, Path: "model", Msg: `unknown field "x"`, Hint: `did you mean "y"?`,
				Notes: []Note{{Pos{"a.yaml", 4, 1, 4}, "torch.optim.Adam is set"}, {Pos{Source: "argument 2"}, "value overridden"}, {Msg: "plain"}}},
			"a.yaml:1:1: unknown field \"x\"\n   1 | model:\n     | ~~~~~\n   in model\n   did you mean \"y\"?\n   note: torch.optim.Adam is set at a.yaml:4:1\n   note: value overridden by argument 2\n   note: plain\n"},
		{"tab", Diagnostic{Pos: Pos{"a.yaml", 2, 2, 2}, Msg: "m"}, "a.yaml:2:2: m\n   2 |     lr: 1\n     |     ~~\n"},
		{"wide characters", Diagnostic{Pos: Pos{"a.yaml", 3, 3, 2}, Msg: "m"}, "a.yaml:3:3: m\n   3 |   名前: x # 日本\n     |   ~~~~\n"},
		{"after wide characters", Diagnostic{Pos: Pos{"a.yaml", 3, 7, 1}, Msg: "m"}, "a.yaml:3:7: m\n   3 |   名前: x # 日本\n     |         ~\n"},
		{"past the end", Diagnostic{Pos: Pos{"a.yaml", 4, 5, 1}, Msg: "m"}, "a.yaml:4:5: m\n   4 | last\n     |     ~\n"},
		{"override", Diagnostic{Pos: Pos{"argument 2", 1, 1, 7}, Msg: "m"}, "argument 2: m\n    | trianer::max_epochs=7\n    | ~~~~~~~\n"},
		{"warning", Diagnostic{Severity: Warning, Pos: Pos{"a.yaml", 9, 1, 1}, Msg: "m"}, "a.yaml:9:1: warning: m\n"},
		{"no place", Diagnostic{Msg: "m"}, "m\n"},
		{"no column", Diagnostic{Pos: Pos{Source: "a.yaml", Line: 1}, Msg: "m"}, "a.yaml:1: m\n   1 | model:\n"},
		{"path in the message", Diagnostic{Path: "a::b", Msg: "a::b is missing"}, "a::b is missing\n"},
	} {
		if got := strings.ReplaceAll(render(List{c.d}, src), " |\n", "|\n"); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	long := render(List{{Pos: Pos{"long.yaml", 1, 301, 4}, Msg: "m"}}, src)
	lines := strings.Split(long, "\n")
	at := strings.Index(lines[1], "HERE")
	if at < 0 || strings.Index(lines[2], "~~~~") != at || len(lines[1]) > 120 || !strings.Contains(lines[1], "...x") {
		t.Errorf("a long line is shown as\n%s", long)
	}
}

// A terminal never gets a control character of a source, and a marker stands under a place whatever the text is.
func FuzzRender(f *testing.F) {
	f.Add("a: \x1b[2J\t名\u200b b", 3, 2)
	f.Add(strings.Repeat("名", 200), 150, 9)
	f.Add("\xff\xfe", 1, 1)
	f.Fuzz(func(t *testing.T, text string, col, length int) {
		if col < 1 || length < 0 || col > 1<<30 || length > 1<<30 || strings.Contains(text, "\n") {
			return
		}
		out := render(List{{Pos: Pos{"s", 1, col, length}, Msg: "m"}}, Sources{"s": []byte(text)})
		if !utf8.ValidString(out) || strings.ContainsAny(out, "\x1b\r\t\x00") {
			t.Fatalf("%q is shown as %q", text, out)
		}
		for line := range strings.Lines(out) {
			if runewidth.StringWidth(line) > maxColumns+20 {
				t.Fatalf("%q is shown as wide as %d", text, runewidth.StringWidth(line))
			}
		}
		if strings.Count(out, "\n") != 3 || !strings.Contains(out, "~") {
			t.Fatalf("%q is shown as %q", text, out)
		}
	})
}

func TestList(t *testing.T) {
	cause := fs.ErrNotExist
	var l List
	l.Errorf(Pos{"b.yaml", 1, 1, 1}, "", "of b")
	l.Errorf(Pos{"a.yaml", 9, 1, 1}, "k", "late").Hint = "h"
	l.Warnf(Pos{"a.yaml", 2, 5, 1}, "", "early")
	l.Errorf(Pos{"a.yaml", 2, 5, 1}, "", "same place")
	l.Errorf(Pos{"a.yaml", 9, 1, 1}, "k", "late").Hint = "h"
	l.Add(Diagnostic{Pos: Pos{"argument 3", 1, 1, 1}, Msg: "arg", Err: cause})
	l = l.Sort("a.yaml", "argument 3", "b.yaml")
	want := "a.yaml:2:5: warning: early\na.yaml:2:5: same place\na.yaml:9:1: late\nargument 3: arg\nb.yaml:1:1: of b"
	if l.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", l.Error(), want)
	}
	if !errors.Is(l.Err(), cause) {
		t.Error("the cause is lost")
	}
	if warnings := (List{{Severity: Warning, Msg: "w"}}); warnings.Err() != nil || warnings.HasErrors() {
		t.Error("a warning counts as an error")
	}
	if got := AsList(errors.Join(errors.New("x"), l)); len(got) != 5 {
		t.Errorf("a joined list has %d problems", len(got))
	}
	if got := AsList(errors.New("x")); len(got) != 1 || got[0].Msg != "x" || AsList(nil) != nil {
		t.Errorf("another error is %v", got)
	}
}

func TestNearest(t *testing.T) {
	keys := []string{"lr", "momentum", "weight_decay", "dampening", "nesterov", "max_epochs", "train_dataloader", "val_dataloader"}
	for name, want := range map[string]string{
		"momentun": "momentum", "WeightDecay": "weight_decay", "weight-decay": "weight_decay", "wieght_decay": "weight_decay", "l": "lr", "rl": "lr",
		"max_epoch": "max_epochs", "maxepohcs": "max_epochs", "tran_dataloader": "train_dataloader", "vla_dataloader": "val_dataloader",
		"gamma": "", "x": "", "": "", "lr": "", "batch_size": "",
	} {
		got := Nearest(name, keys, 1)
		if len(got) == 0 && want != "" || len(got) > 0 && got[0] != want {
			t.Errorf("nearest to %q is %q, want %q", name, got, want)
		}
	}
	if got := Nearest("mat", []string{"bat", "mats", "mat_", "cat", "bat"}, 3); !slices.Equal(got, []string{"mat_", "bat", "mats"}) {
		t.Errorf("best first: %q", got)
	}
}

// Every slip of one letter, and two in a name of five, finds the name again.
func TestNearestFindsSlips(t *testing.T) {
	for _, name := range []string{"lr", "gamma", "momentum", "torch.optim.lr_scheduler.CosineAnnealingLR"} {
		for i := range name {
			for _, slip := range []string{name[:i] + name[i+1:], name[:i] + "q" + name[i+1:], name[:i] + "q" + name[i:]} {
				if got := Nearest(slip, []string{name}, 1); string(fold(slip)) != string(fold(name)) && len(got) == 0 && len(name) > 2 {
					t.Errorf("%q is not found from %q", name, slip)
				}
			}
			if i+1 < len(name) {
				if d := Distance(name, name[:i]+name[i+1:i+2]+name[i:i+1]+name[i+2:]); d > 1 {
					t.Errorf("a swap in %q is %d edits", name, d)
				}
			}
		}
	}
}

// The distance is a metric's: nothing to itself, the same both ways, at most the longer name.
func FuzzDistance(f *testing.F) {
	f.Add("momentum", "momentun")
	f.Add("ab", "ba")
	f.Add("", "x_")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 100 || len(b) > 100 {
			return
		}
		d := Distance(a, b)
		x, y := fold(a), fold(b)
		if Distance(a, a) != 0 || d != Distance(b, a) || d > max(len(x), len(y)) || d == 0 != slices.Equal(x, y) {
			t.Fatalf("%q and %q are %d apart", a, b, d)
		}
		for limit := range 5 {
			if got := distance(x, y, limit); got <= limit && got != d || got > limit && d <= limit {
				t.Fatalf("%q and %q are %d apart, %d within %d", a, b, d, got, limit)
			}
		}
	})
}
