package custom

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"mypkg", "deep/inside"} {
		if err := os.MkdirAll(name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("mypkg/loss.go", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want with
		err  string
	}{
		{text: "./mypkg", want: with{dir: filepath.Join(real, "mypkg")}},
		{text: "mypkg", want: with{dir: filepath.Join(real, "mypkg")}},
		{text: "deep/...", want: with{dir: filepath.Join(real, "deep"), all: true}},
		{text: filepath.Join(dir, "mypkg"), want: with{dir: filepath.Join(real, "mypkg")}},
		{text: ".", want: with{dir: real}},
		{text: "example.com/mod@v1", want: with{path: "example.com/mod", version: "v1"}},
		{text: "example.com/mod/v2/layers/...@v2.1.0", want: with{}, err: ""},
		{text: "example.com/mod", want: with{path: "example.com/mod"}},
		{text: "./none", err: "no such folder"},
		{text: "none", err: "neither a folder nor"},
		{text: "mypkg/loss.go", err: "this is a file: name its folder, mypkg"},
		{text: "./mypkg@v1", err: "a folder has no version"},
		{text: "example.com/mod@", err: "version after the @ is missing"},
		{text: "", err: "empty"},
		{text: "example.com/a b", err: "neither"},
		{text: "-x", err: "neither"},
	} {
		got, err := parse(c.text)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: got %v, want %q", c.text, err, c.err)
			}
		case err != nil:
			t.Errorf("%q: %v", c.text, err)
		case c.text == "example.com/mod/v2/layers/...@v2.1.0":
			if got.path != "example.com/mod/v2/layers" || got.version != "v2.1.0" || !got.all {
				t.Errorf("%q is %+v", c.text, got)
			}
		default:
			if c.want.text = c.text; got != c.want {
				t.Errorf("%q is %+v, want %+v", c.text, got, c.want)
			}
		}
	}
}

// TestSettings: what build/env.sh prints is read, and a path in it that is not there is found.
func TestSettings(t *testing.T) {
	dir := t.TempDir()
	include := filepath.Join(dir, "torch/csrc/api/include")
	text := "export CGO_ENABLED=1\nexport CGO_CXXFLAGS='-O2 -include " + dir + "/compat.h -I" + dir + " -I" + include + "'\nexport CGO_LDFLAGS='-L" + dir + " -Wl,-rpath,$ORIGIN'\n"
	settings := parseSettings(text)
	if settings["CGO_ENABLED"] != "1" || !strings.HasSuffix(settings["CGO_LDFLAGS"], " -Wl,-rpath,$ORIGIN") || len(settings) != 3 {
		t.Errorf("%q is read as %v", text, settings)
	}
	for _, missing := range []string{filepath.Join(dir, "compat.h"), include, filepath.Join(include, "torch/torch.h")} {
		if got := missingPath(settings); got != missing {
			t.Errorf("missing is %q, want %q", got, missing)
		}
		switch {
		case missing == include:
			if err := os.MkdirAll(include, 0o777); err != nil {
				t.Fatal(err)
			}
		default:
			if err := write(missing, strings.NewReader(""), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := missingPath(settings); got != "" {
		t.Errorf("nothing is missing, and %q is said to be", got)
	}
}

func TestGoFlags(t *testing.T) {
	for given, want := range map[string]string{
		"":                                  "-trimpath -buildvcs=false",
		"-mod=vendor -tags=cuda -trimpath":  "-trimpath -buildvcs=false -tags=cuda",
		"--modfile=x.mod -v -buildvcs=auto": "-trimpath -buildvcs=false -v",
	} {
		if got := goFlags(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}

// TestReadable: what the go command says names the user's files, and nothing of where a build happens.
func TestReadable(t *testing.T) {
	b := &build{dir: "/cache/custom/build-1", source: source{dir: "/cache/custom/source-1"}}
	b.space.main = "/cache/custom/build-1/main"
	said := "go: downloading example.com/a v1.0.0\n# mine\nmine/loss.go:3:5: undefined: x\n# lighter.local/main\n" +
		"/cache/custom/build-1/main/main.go:6:2: package y is not in std\n/cache/custom/source-1/tensor/ops.go:1:1: z"
	want := "# mine\nmine/loss.go:3:5: undefined: x\npackage y is not in std\ntensor/ops.go:1:1: z"
	if got := b.readable(said); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestCrash: a panic of an init is told with its first line of the user's.
func TestCrash(t *testing.T) {
	said := "panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\nmine.init.0()\n\tmine/loss.go:7 +0x2b\nruntime.doInit1()\n\t/usr/lib/go/proc.go:1 +0x1\nexit status 2"
	if got, want := crash(said), "panic: assignment to entry in nil map\n  at mine/loss.go:7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := crash("the name x is taken twice"); got != "the name x is taken twice" {
		t.Errorf("got %q", got)
	}
}

func TestNameFor(t *testing.T) {
	s := &workspace{goRoot: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(s.goRoot, "src/errors"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"/a/mine", "mine"}, {"/b/mine", "mine2"}, {"/a/errors", "local/errors"}, {"/a/my pkg", "my_pkg"}, {"/a/main", "local/main"}, {"/", "_"}} {
		name := s.nameFor(c[0])
		if s.names = append(s.names, name); name != c[1] {
			t.Errorf("%s is %q, want %q", c[0], name, c[1])
		}
	}
}

// TestNoSource: a program of a plain go build says what it lacks.
func TestNoSource(t *testing.T) {
	if len(ownArchive) > 0 {
		t.Skip("this test program holds its source")
	}
	dir := t.TempDir()
	_, err := Build(t.Context(), Options{With: []string{dir}, Output: filepath.Join(dir, "x"), Cache: dir})
	if err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("got %v", err)
	}
	_, err = Build(t.Context(), Options{With: []string{dir}, Output: filepath.Join(dir, "x"), Cache: dir, Source: dir})
	if err == nil || !strings.Contains(err.Error(), "is no checkout of lighter") {
		t.Errorf("got %v", err)
	}
}
