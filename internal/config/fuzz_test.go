package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lighter-go/lighter/internal/diag"
)

// corpus is every file of testdata.
func corpus(t testing.TB) []string {
	t.Helper()
	var texts []string
	for _, dir := range []string{"save", "saved", "hostile"} {
		files, _ := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
		if len(files) == 0 {
			t.Fatalf("no files in testdata/%s", dir)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(text))
		}
	}
	return texts
}

// composeText composes a file of the text and inputs after it; nil when it has errors, which must have places.
func composeText(t *testing.T, text string, inputs ...any) *Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, diags := Compose(append([]any{name}, inputs...)...)
	for _, d := range diags {
		if !d.Pos.IsValid() || d.Msg == "" {
			t.Fatalf("no place or message: %+v", d)
		}
	}
	diags.Render(discard{}, c.Sources, true)
	c.Warnings.Render(discard{}, c.Sources, false)
	if diags != nil {
		return nil
	}
	return c
}

// bounded fails a fuzzing run that takes more than some seconds on an input; call what it returns at the end.
func bounded(input ...string) func() bool {
	return time.AfterFunc(10*time.Second, func() { panic(fmt.Sprintf("it takes too long: %q", input)) }).Stop
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// resolveAll resolves everything with a host that has nothing.
func resolveAll(t *testing.T, c *Config) {
	t.Helper()
	r := NewResolver(c, checkingHost{})
	for _, key := range c.Root.Keys() {
		if _, err := r.Resolve(key); err != nil {
			for _, d := range diag.AsList(err) {
				if !d.Pos.IsValid() || d.Msg == "" {
					t.Fatalf("no place or message: %+v", d)
				}
			}
		}
	}
}

func FuzzCompose(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add(s)
	}
	f.Add("a: '@b'\nb: '$@c::0 + %d'\nc: ['%d', '@::0']\nd: {_target_: x, _disabled_: true}\n~e: [1]\n")
	f.Fuzz(func(t *testing.T, text string) {
		defer bounded(text)()
		if c := composeText(t, text); c != nil {
			resolveAll(t, c)
		}
	})
}

func FuzzOverride(f *testing.F) {
	for _, s := range []string{"a::b=1", "=a={x: [1, '%b']}", "~a::l::0", "~l=[0, -1]", "c::x=5", "c::l::0::y=@a", "a.b=1", "=", "~", "a=", "=a=b=c", "::=1", "l::-1=~", "b=$f'{@a}'", "c=%::a", "d::l=[1"} {
		f.Add(s, "a::b=2")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		defer bounded(first, second)()
		if !isOverride(first) || !isOverride(second) {
			return // a file
		}
		if c := composeText(t, "a: {b: 1, l: [{x: 1}, 2]}\nl: [1, 2]\nb: '@a'\nc: '%a'\nd: {l: '%l'}\n", first, second); c != nil {
			resolveAll(t, c)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"a", "a::b", "::a", "::::l::0", "l::-1", "a::::b", "l::+1", "日本::é", "::", ""} {
		f.Add(s, "a::l::0")
	}
	tree, _ := parse("t", []byte("a: {b: 1, l: [{x: 1}, 2]}\nl: [1, 2]\n日本: {é: 1}"), 0)
	f.Fuzz(func(t *testing.T, name, from string) {
		abs, d := absolute("@", name, from)
		if d != nil {
			return
		}
		if strings.HasPrefix(abs, Sep) && !strings.HasPrefix(from, Sep) && !strings.HasSuffix(strings.TrimLeft(name, ":"), ":") && from != "" {
			t.Fatalf("%q from %q is %q", name, from, abs)
		}
		if n := tree.at(abs); n != nil && parentPath(abs) != "" && tree.at(parentPath(abs)) == nil {
			t.Fatalf("%q has a value and its parent none", abs)
		}
		if n := tree.at(abs); n != nil && lastKey(abs) != "" && !strings.HasSuffix(abs, lastKey(abs)) {
			t.Fatalf("the last key of %q is %q", abs, lastKey(abs))
		}
	})
}

// The hostile files take a moment each, and what is wrong with them has a place.
func TestHostile(t *testing.T) {
	files, err := filepath.Glob("testdata/hostile/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		want, _, _ := strings.Cut(strings.TrimPrefix(string(text), "# want: "), "\n")
		c, diags := Compose(f)
		if c.Root == nil || !strings.Contains(diags.Error(), want) || want == "" {
			t.Errorf("%s: no %q in %v", f, want, diags)
		}
	}
}

// What is too large to commit.
func TestHostileLarge(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"long line":   {"a: " + strings.Repeat("x", 10<<20), "at most 4194304 bytes"},
		"huge scalar": {"a: " + strings.Repeat("x", 2<<20), "at most 1048576 are allowed"},
		"deep flow":   {"a: " + strings.Repeat("[", 100_000), ""},
		"deep":        {strings.Repeat("{a: ", 500) + strings.Repeat("}", 500), "nested too deeply: more than 100 levels"},
		"deep block":  {deepBlock(300), "nested too deeply: more than 100 levels"},
		"wide":        {"a: [" + strings.Repeat("1,", 300_000) + "]", "too many values: more than 200000"},
		"long key":    {strings.Repeat("k", 2<<20) + ": 1", ""},
		"number":      {"a: " + strings.Repeat("9", 100_000) + "\nb: '%'", "Circular"},
		"path":        {strings.Repeat("a::", 300) + "b: 1", "nested too deeply: a path of 301 keys"},
		"questions":   {strings.Repeat("? ", 20_000), ""},
		"anchors":     {strings.Repeat("&a ", 20_000), ""},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, map[string]string{"a.yaml": c.text})
			_, diags := composed("a.yaml")
			if diags == nil || !strings.Contains(diags.Error(), c.want) {
				t.Errorf("no %q in %.300s", c.want, diags.Error())
			}
		})
	}
}

func deepBlock(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}
