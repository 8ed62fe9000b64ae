package config

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/diag"
	"go.yaml.in/yaml/v3"
)

// write makes the files of a case in a folder of its own, which becomes the working directory.
func write(t testing.TB, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func composed(inputs ...string) (*Config, diag.List) {
	args := make([]any, len(inputs))
	for i, in := range inputs {
		args[i] = in
	}
	return Compose(args...)
}

// sameYAML compares what the configuration is saved as with YAML in any style.
func sameYAML(t *testing.T, got []byte, want string) bool {
	t.Helper()
	n, diags := parse("want", []byte(want), 0)
	if diags != nil {
		t.Fatal(diags)
	}
	if n == nil {
		n = &Node{Kind: Map}
	}
	return bytes.Equal(got, (&Config{Root: n}).YAML())
}

func TestCompose(t *testing.T) {
	type files = map[string]string
	for _, c := range []struct {
		name   string
		files  files
		inputs string
		want   string
	}{
		{"empty file", files{"a.yaml": ""}, "a.yaml", ""},
		{"upper-case extension", files{"a.YML": "x: 1"}, "a.YML", "x: 1"},
		{"later wins", files{"a.yaml": "x: 1", "b.yaml": "x: 3"}, "a.yaml x=2 b.yaml", "x: 3"},
		{"mappings merge", files{"a.yaml": "m: {x: 1, y: 2}", "b.yaml": "m: {x: 10, z: {q: 1}}"}, "a.yaml b.yaml", "m: {x: 10, y: 2, z: {q: 1}}"},
		{"lists extend", files{"a.yaml": "l: [1, 2]", "b.yaml": "l: [2, {a: 1}]"}, "a.yaml b.yaml", "l: [1, 2, 2, {a: 1}]"},
		{"kinds replace", files{"a.yaml": "s: 5\nm: {a: 1}\nl: [1]", "b.yaml": "s: {k: 1}\nm: null\nl: x"}, "a.yaml b.yaml", "s: {k: 1}\nm: null\nl: x"},
		{"changed target keeps arguments", files{"a.yaml": "o: {_target_: A, lr: 1, mom: 2}", "b.yaml": "o: {_target_: B}"}, "a.yaml b.yaml", "o: {_target_: B, lr: 1, mom: 2}"},
		{"replace in a file", files{"a.yaml": "m: {x: 1, l: [1]}\nn: {a: 1}", "b.yaml": "m: {=l: [9]}\n=n: {b: 2}\n=new: 3"}, "a.yaml b.yaml", "m: {x: 1, l: [9]}\nn: {b: 2}\nnew: 3"},
		{"replace below a new key", files{"a.yaml": "b: {=c: 2}"}, "a.yaml", "b: {c: 2}"},
		{"delete in a file", files{"a.yaml": "gone: 1\nl: [0, 1, 2, 3]\nm: {a: 1, b: 2}", "b.yaml": "~gone:\n~l: [0, -1, -1]\n~m: [a]"}, "a.yaml b.yaml", "l: [1, 2]\nm: {b: 2}"},
		{"path keys", files{"a.yaml": "t: {e: 1, x: 2}\nm: {q: {r: 1}}\nl: [1]", "b.yaml": "t::e: 5\n=m::q: {s: 3}\n~t::x: null\nl: [2]\nn::o::p: 4"}, "a.yaml b.yaml", "t: {e: 5}\nm: {q: {s: 3}}\nl: [1, 2]\nn: {o: {p: 4}}"},
		{"path keys only at the top", files{"a.yaml": "a: {x::y: 1}"}, "a.yaml", "a: {x::y: 1}"},
		{"values", files{"a.yaml": ""}, "a.yaml|x::i=7|x::f=0.5|x::e=1e-3|x::E=1E5|x::t=yes|x::n=null|x::tilde=~|x::none=None|x::l=[1, two, 3.0]|x::d={a: 1, b: [c]}|x::s=hello world|x::q='7'|x::eq=a=b|x::c=1,2|x::m=a: b|x::empty=",
			"x: {i: 7, f: 0.5, e: 0.001, E: 100000.0, t: true, n: null, tilde: null, none: None, l: [1, two, 3.0], d: {a: 1, b: [c]}, s: hello world, q: '7', eq: a=b, c: '1,2', m: {a: b}, empty: null}"},
		{"references are values", files{"a.yaml": "a: 1"}, "a.yaml|b=@a|c=$@a + 1|d=%a", "a: 1\nb: '@a'\nc: $@a + 1\nd: 1"},
		{"override merges", files{"a.yaml": "m: {a: 1}\nl: [1]"}, "a.yaml|m={b: 2}|l=[2]", "m: {a: 1, b: 2}\nl: [1, 2]"},
		{"override replaces", files{"a.yaml": "m: {a: 1, b: {c: 2}}\nl: [1]"}, "a.yaml|=m::b={d: 3}|=l=[2]", "m: {a: 1, b: {d: 3}}\nl: [2]"},
		{"override deletes", files{"a.yaml": "m: {a: 1, b: 2, c: 3}\nl: [1, 2, 3]\nd: 1"}, "a.yaml|~m::a|~l::0|~d|~m=[b]|~l=[-1]", "m: {c: 3}\nl: [2]"},
		{"override makes parents", files{"a.yaml": "s: 5"}, "a.yaml|s::k=1|n::o=2", "s: {k: 1}\nn: {o: 2}"},
		{"override of a list element", files{"a.yaml": "t: {callbacks: [{patience: 1, m: x}, {q: 1}]}"}, "a.yaml|t::callbacks::0::patience=5|t::callbacks::-1::q=2", "t: {callbacks: [{patience: 5, m: x}, {q: 2}]}"},
		{"path of a file through a list", files{"a.yaml": "l: [1, {a: 2}]", "b.yaml": "l::1::a: 3\nl::0: 4"}, "a.yaml b.yaml", "l: [4, {a: 3}]"},
		{"copy follows its source", files{"a.yaml": "vars: {lr: 0.1}\nm: {lr: '%vars::lr'}"}, "a.yaml vars::lr=0.2", "vars: {lr: 0.2}\nm: {lr: 0.2}"},
		{"copy of a sibling", files{"a.yaml": "m: {t: {a: 1}, v: '%::t', l: [5, '%::0', '%::::t::a']}"}, "a.yaml", "m: {t: {a: 1}, v: {a: 1}, l: [5, 5, 1]}"},
		{"override inside a copy", files{"a.yaml": "a: {x: 1, y: {z: 2}}\nb: '%a'"}, "a.yaml b::x=5 b::y::z=6 a::y::w=7", "a: {x: 1, y: {z: 2, w: 7}}\nb: {x: 5, y: {z: 6, w: 7}}"},
		{"override inside a copied list", files{"a.yaml": "a: [{x: 1}, {x: 2}]\nb: '%a'"}, "a.yaml|b::0::x=5|~b::1|b=[3]", "a: [{x: 1}, {x: 2}]\nb: [{x: 5}, 3]"},
		{"file over a copy", files{"a.yaml": "a: {x: 1, y: 2}\nb: '%a'", "b.yaml": "b: {x: 9, ~y: null}"}, "a.yaml b.yaml", "a: {x: 1, y: 2}\nb: {x: 9}"},
		{"copy replaced", files{"a.yaml": "a: {x: 1}\nb: '%a'"}, "a.yaml|=b={y: 2}", "a: {x: 1}\nb: {y: 2}"},
		{"copy of a copy", files{"a.yaml": "a: {x: 1}\nb: '%a'\nc: '%b::x'\nd: '%b'"}, "a.yaml b::x=5", "a: {x: 1}\nb: {x: 5}\nc: 5\nd: {x: 5}"},
		{"copy from a file", files{"a.yaml": "l: '%d.yaml::l'\nall: '%d.yaml'\nk: 7", "d.yaml": "l: {v: '%::w', w: 3, r: '@k', p: '%k'}\nk: 1"}, "a.yaml l::w=4",
			"l: {v: 3, w: 4, r: '@k', p: 1}\nall: {l: {v: 3, w: 3, r: '@k', p: 1}, k: 1}\nk: 7"},
		{"relative references", files{"a.yaml": "a: {l: ['@::::x', '$@::0 * 2 + @::::x'], x: 1, y: '%::l'}"}, "a.yaml", "a: {l: ['@a::x', '$@a::l::0 * 2 + @a::x'], x: 1, y: ['@a::x', '$@a::y::0 * 2 + @a::x']}"},
		{"imports go", files{"a.yaml": "_imports_: {torch: torch}\na: 1"}, "a.yaml", "a: 1"},
		{"merge keys", files{"a.yaml": "d: &d {x: 1, y: 2}\ne: {<<: *d, y: 3}"}, "a.yaml", "d: {x: 1, y: 2}\ne: {x: 1, y: 3}"},
		{"deleted and set again", files{"a.yaml": "a: {x: 1}\nb: 2"}, "a.yaml|~a|a::y=2", "b: 2\na: {y: 2}"},
		{"not YAML, so text", files{"a.yaml": ""}, "a.yaml|x=!foo|y=&a|z=a: b: c|w=*p", "x: '!foo'\ny: null\nz: 'a: b: c'\nw: '*p'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, c.files)
			sep := " "
			if strings.Contains(c.inputs, "|") {
				sep = "|"
			}
			got, diags := composed(strings.Split(c.inputs, sep)...)
			if diags != nil {
				t.Fatal(diags)
			}
			if !sameYAML(t, got.YAML(), c.want) {
				t.Errorf("got\n%s\nwant\n%s", got.YAML(), c.want)
			}
		})
	}
}

// Every mistake is reported at its place with its words, and what would be right.
func TestComposeErrors(t *testing.T) {
	type files = map[string]string
	for _, c := range []struct {
		name   string
		files  files
		inputs string
		want   []string // of the rendered list, in order
	}{
		{"no YAML file", files{"c.json": "{}"}, "c.json", []string{`argument 1: Unknown file input: "c.json", must be a YAML file (.yaml or .yml)`}},
		{"missing file", files{"config.yaml": ""}, "confg.yaml", []string{"No such file or directory: '/", "/confg.yaml'", `did you mean "config.yaml"?`}},
		{"commas", nil, "a.yaml,b.yaml", []string{"No such file", "files are separated by spaces"}},
		{"top level", files{"a.yaml": "[1]"}, "a.yaml", []string{"a.yaml:1:1: the top level of a configuration must be a mapping, not a list"}},
		{"syntax", files{"a.yaml": "a: 1\nb: [1, 2\nc: 3\n"}, "a.yaml", []string{"a.yaml:", "not valid YAML"}},
		{"tabs", files{"a.yaml": "a:\n\tb: 1\n"}, "a.yaml", []string{"a.yaml:2:1: tabs can't indent YAML", "cannot start any token", "use spaces"}},
		{"reserved sign", files{"a.yaml": "a: 1\nb: @a\n"}, "a.yaml", []string{"a.yaml:2:", `a value that starts with @ needs quotes: "@a"`}},
		{"documents", files{"a.yaml": "a: 1\n---\nb: 2\n"}, "a.yaml", []string{"several documents"}},
		{"tag", files{"a.yaml": "a: !!python/object:os.system x"}, "a.yaml", []string{"a.yaml:1:4: could not determine a constructor for the tag"}},
		{"deleting nothing", files{"a.yaml": "model: {lr: 1}", "b.yaml": "~modle: null"}, "a.yaml b.yaml", []string{"b.yaml:1:1: Cannot delete key 'modle': key does not exist", `did you mean "model"?`}},
		{"available keys", files{"a.yaml": "aaa: 1\nbbb: 2"}, "a.yaml ~zzzzz", []string{"argument 2: Cannot delete key 'zzzzz': key does not exist", "~~~~~", "Available keys: ['aaa', 'bbb']"}},
		{"removing no key", files{"a.yaml": "model: {lr: 1}", "b.yaml": "~model: [lrr]"}, "a.yaml b.yaml", []string{"b.yaml:1:10: Cannot remove non-existent key 'lrr' from 'model'", `did you mean "lr"?`}},
		{"removing no element", files{"a.yaml": "l: [1, 2]", "b.yaml": "~l: [5, x]"}, "a.yaml b.yaml", []string{"Cannot remove from list 'l': index 5 out of range (list has 2 items)", "Cannot remove from list 'l': index must be integer, got str"}},
		{"removing from a number", files{"a.yaml": "l: 1", "b.yaml": "~l: [5]"}, "a.yaml b.yaml", []string{"Cannot remove items from 'l': expected list or dict, got int"}},
		{"delete with a value", files{"a.yaml": "l: [1]", "b.yaml": "~l: 5"}, "a.yaml b.yaml", []string{"Remove operator '~l' must have null, empty, or list value"}},
		{"delete with an empty list", files{"a.yaml": "l: [1]", "b.yaml": "~l: []"}, "a.yaml b.yaml", []string{"Remove operator '~l' with list value cannot be empty"}},
		{"raw reference to nothing", files{"a.yaml": "bbb: {x: 1}\nc: '%bb::x'"}, "a.yaml", []string{"a.yaml:2:4: Error resolving raw reference '%bb::x' from local config: Key 'bb' not found. Available keys: ['bbb', 'c']", `did you mean "%bbb::x"?`}},
		{"raw reference into a file", files{"a.yaml": "c: '%base.yaml::lr'", "base.yaml": "lrr: 1"}, "a.yaml", []string{"Error resolving raw reference '%base.yaml::lr' from 'base.yaml': Key 'lr' not found", `did you mean "%base.yaml::lrr"?`}},
		{"raw reference to no file", files{"a.yaml": "c: '%bse.yaml::lr'", "base.yaml": ""}, "a.yaml", []string{"a.yaml:1:4: No such file or directory", `did you mean "base.yaml"?`}},
		{"circular raw reference", files{"a.yaml": "a: '%b'\nb: '%c'\nc: '%b'"}, "a.yaml", []string{"Circular raw reference detected: ", "%c -> %b -> %c", "note: b is \"%c\" at a.yaml:2:4"}},
		{"raw reference to its parent", files{"a.yaml": "a: {b: '%a'}"}, "a.yaml", []string{"Circular raw reference detected: '%a'"}},
		{"lone sign", files{"a.yaml": "a: '%'"}, "a.yaml", []string{"Circular raw reference detected: '%'"}},
		{"too far up", files{"a.yaml": "a: '@::::b'"}, "a.yaml", []string{"Relative reference '@::::' in '@::::b' attempts to go 2 levels up, but current path 'a' only has 1 levels"}},
		{"typo of a section", files{"a.yaml": "trainer: {max_epochs: 1}"}, "a.yaml trianer::max_epochs=7", []string{`argument 2: unknown key "trianer"`, "| trianer::max_epochs=7", "~~~~~~~", `did you mean "trainer"?`}},
		{"typo of a section before the file", files{"a.yaml": "trainer: {max_epochs: 1}"}, "trianer::max_epochs=7 a.yaml", []string{`argument 1: unknown key "trianer"`, `did you mean "trainer"?`}},
		{"typo of a section in a file", files{"a.yaml": "trianer: {max_epochs: 1}"}, "a.yaml", []string{`a.yaml:1:1: unknown key "trianer"`, `did you mean "trainer"?`}},
		{"typo of a variable", files{"a.yaml": "vars: {learning_rate: 1}"}, "a.yaml vars::lerning_rate=2", []string{`argument 2: unknown key "vars::lerning_rate"`, `did you mean "vars::learning_rate"?`}},
		{"typo of a key of the files", files{"a.yaml": "output_dir: x"}, "a.yaml ouput_dir=2", []string{`did you mean "output_dir"?`}},
		{"dots", files{"a.yaml": "trainer: {max_epochs: 1}"}, "a.yaml trainer.max_epochs=7", []string{`unknown key "trainer.max_epochs": keys are joined by "::"`, `did you mean "trainer::max_epochs"?`}},
		{"dots below", files{"a.yaml": "model: {optimizer: {lr: 1}}"}, "a.yaml model::optimizer.lr=7", []string{`did you mean "model::optimizer::lr"?`}},
		{"no element", files{"a.yaml": "l: [1]"}, "a.yaml l::5=1 l::x=1", []string{"index 5 of list 'l' is out of range (list has 1 items)", `'l' is a list of 1 items: "x" is no index`}},
		{"inside a reference", files{"a.yaml": "a: {x: 1}\nb: '@a'"}, "a.yaml b::x=2", []string{`'b' is the reference "@a"`}},
		{"replace without a value", nil, "=model", []string{`"=model" has no value`, "=key=value"}},
		{"no key", nil, "a::::b=1", []string{"is no path"}},
		{"imports", files{"a.yaml": "_imports_: {a-b: torch, c: 5}"}, "a.yaml", []string{`"a-b" is no name`, "expected the name of a module, got int"}},
		{"all at once", files{"a.yaml": "a: '%x'\nb: '%y'"}, "a.yaml ~c", []string{"a.yaml:1:4:", "a.yaml:2:4:", "argument 2: Cannot delete key 'c'"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, c.files)
			got, diags := composed(strings.Split(c.inputs, " ")...)
			var b strings.Builder
			diags.Render(&b, got.Sources, false)
			rest := b.String()
			for _, w := range c.want {
				i := strings.Index(rest, w)
				if i < 0 {
					t.Fatalf("no %q in\n%s", w, b.String())
				}
				rest = rest[i+len(w):]
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	write(t, map[string]string{"a.yaml": "a: 1\nlr: 2\nlr: 3\non: 1\n"})
	c, diags := composed("a.yaml", "x=[1, 2")
	if diags != nil {
		t.Fatal(diags)
	}
	var b strings.Builder
	c.Warnings.Render(&b, c.Sources, false)
	for _, want := range []string{"a.yaml:3:1: warning: duplicate key \"lr\"", "note: first set at a.yaml:2:1", "the key on is read as True", "argument 2: warning: taken as text"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if c.Plain("lr") != int64(3) || c.Plain("x") != "[1, 2" {
		t.Errorf("lr is %v, x is %v", c.Plain("lr"), c.Plain("x"))
	}
}

// A value knows where it came from, what it replaced and through what it was copied.
func TestProvenance(t *testing.T) {
	write(t, map[string]string{"a.yaml": "vars:\n  lr: 0.1\nm: {o: '%vars::lr', b: \"$@vars::lr\"}\n", "b.yaml": "vars: {lr: 0.2}\n"})
	c, diags := composed("a.yaml", "b.yaml", "vars::lr=1e-3")
	if diags != nil {
		t.Fatal(diags)
	}
	n := c.At("m::o")
	if n.Value != 1e-3 || n.Pos.String() != "argument 3" || n.Pos.Col != 10 || n.Pos.Len != 4 {
		t.Errorf("m::o is %v at %+v", n.Value, n.Pos)
	}
	if len(n.Was) != 2 || n.Was[0].String() != "it replaces 0.1 at a.yaml:2:7" || n.Was[1].String() != "it replaces 0.2 at b.yaml:1:12" {
		t.Errorf("m::o was %v", n.Was)
	}
	if by, ok := n.Overridden(); !ok || by.String() != "value overridden by argument 3: vars::lr=1e-3" {
		t.Errorf("m::o was overridden by %v", by)
	}
	if len(n.From) != 1 || n.From[0].String() != `copied by "%vars::lr" at a.yaml:3:8` {
		t.Errorf("m::o came from %v", n.From)
	}
	if p, _ := c.At("m").Lookup("b"); p.KeyPos.String() != "a.yaml:3:21" || p.Value.Pos.Len != len(`"$@vars::lr"`) {
		t.Errorf("m::b is at %v with a value of %+v", p.KeyPos, p.Value.Pos)
	}
}

func TestAPIInputs(t *testing.T) {
	c, diags := Compose(map[string]any{"a": map[string]any{"x": 1, "l": []string{"p"}}}, map[string]any{"a::x": 2.5}, "a::y=3")
	if diags != nil || !sameYAML(t, c.YAML(), "a: {l: [p], x: 2.5, y: 3}") {
		t.Errorf("%s, %v", c.YAML(), diags)
	}
	if _, diags := Compose(map[string]any{"a": make(chan int)}, 5); len(diags) != 2 {
		t.Errorf("a channel and a number as inputs give %v", diags)
	}
}

// What is saved is the configuration again.
func FuzzYAMLRoundTrip(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer bounded(text)()
		c := composeText(t, text)
		if c == nil {
			return
		}
		saved := c.YAML()
		again := composeText(t, string(saved))
		if again == nil {
			t.Fatalf("what is saved can't be read:\n%s", saved)
		}
		if !bytes.Equal(saved, again.YAML()) {
			t.Fatalf("saved\n%s\nthen\n%s", saved, again.YAML())
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(saved, &doc); err != nil {
			t.Fatalf("what is saved is no YAML: %v\n%s", err, saved)
		}
	})
}
