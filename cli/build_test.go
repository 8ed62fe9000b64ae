package cli

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// outside is a folder that has nothing to do with the checkout, and how programs are run in it.
type outside struct {
	*testing.T
	dir string
	env []string
}

// run runs a program and gives its exit code and what it prints.
func (o outside) run(program string, args ...string) (code int, out string) {
	o.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = o.dir, o.env
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		o.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// says fails the test unless a program exits with a code and prints all of want.
func (o outside) says(code int, want []string, program string, args ...string) {
	o.Helper()
	got, out := o.run(program, args...)
	if got != code {
		o.Fatalf("%s %q: exit code %d, want %d\n%s", program, args, got, code, out)
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			o.Errorf("%s %q does not say %q:\n%s", program, args, w, out)
		}
	}
	if strings.Contains(out, "/custom/") || strings.Contains(out, "main.go") {
		o.Errorf("%s %q shows where it builds:\n%s", program, args, out)
	}
}

func (o outside) write(name, text string) {
	o.Helper()
	path := filepath.Join(o.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
		o.Fatal(err)
	}
}

// newOutside is a folder with the page's components in ./mine, and the program as make builds it.
func newOutside(t *testing.T) outside {
	o := outside{T: t, dir: t.TempDir()}
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "CGO_CFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS", "CGO_ENABLED", "GOFLAGS", "GOWORK": // a user's shell does not have them
		default:
			o.env = append(o.env, v)
		}
	}
	o.env = append(o.env, "OMP_NUM_THREADS=1")
	build, err := filepath.Abs("../build/build.sh")
	if err != nil {
		t.Fatal(err)
	}
	if code, out := o.run("bash", build, filepath.Join(o.dir, "lighter")); code != 0 {
		t.Fatal(out)
	}
	o.env = append(o.env, "GOCACHE="+goVariable(t, "GOCACHE"), "XDG_CACHE_HOME="+filepath.Join(o.dir, "cache"))
	for _, b := range blocks(t, "go") {
		if !strings.Contains(b.text, "package mine\n") {
			t.Errorf("%v: the block is no file of package mine", b)
		}
		name := regexp.MustCompile(`func (init|Test\w+)|type (\w+) struct`).FindStringSubmatch(b.text)
		file := "mine/" + strings.ToLower(name[2]) + ".go"
		if strings.Contains(b.text, "testing.T") {
			file = "mine/mine_test.go"
		}
		o.write(file, b.text)
	}
	config, err := os.ReadFile("../docs/examples/go/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o.write("config.yaml", string(config))
	return o
}

// component is the source of a package with the component NAME.
func component(pkg, name string) string {
	return "package " + pkg + `

import "github.com/lighter-go/lighter"

type T struct {
	X int ` + "`cfg:\"x\" help:\"a number\"`" + `
}

func (t T) Build(*lighter.Env) (int, error) { return t.X, nil }

func init() { lighter.Register[int]("` + name + `", T{}) }
`
}

// proxy makes a module proxy with one module, which asks for a version of lighter that is not published.
func (o outside) proxy(module, version, source string) string {
	o.Helper()
	mod := "module " + module + "\n\ngo 1.24\n\nrequire github.com/lighter-go/lighter v0.0.7\n"
	folder := "proxy/" + module + "/@v/"
	o.write(folder+"list", version+"\n")
	o.write(folder+version+".mod", mod)
	o.write(folder+version+".info", `{"Version": "`+version+`"}`)
	f, err := os.Create(filepath.Join(o.dir, folder, version+".zip"))
	if err != nil {
		o.Fatal(err)
	}
	z := zip.NewWriter(f)
	for name, text := range map[string]string{"go.mod": mod, "layers/layers.go": source} {
		w, err := z.Create(module + "@" + version + "/" + name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			o.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		o.Fatal(err)
	}
	return "file://" + filepath.Join(o.dir, "proxy")
}

// TestBuild builds a program of the page's components, of a module of its own and of a published one, outside the checkout, and
// runs it. The compiler's time is that of the linker where Go's cache is warm; a change of the C++ code is compiled once for both.
func TestBuild(t *testing.T) {
	o := newOutside(t)
	o.write("own/go.mod", "module example.com/own\n\ngo 1.25\n\nrequire github.com/lighter-go/lighter v0.0.3\n")
	o.write("own/losses/losses.go", component("losses", "own.T"))
	o.write("own/losses/deep/deep.go", component("deep", "own.Deep"))
	published := fmt.Sprintf("example.com/published%d", os.Getpid()) // the module cache is everybody's
	proxy := o.proxy(published, "v1.2.3", component("layers", "published.T"))
	// What lighter itself needs of other modules, also a go.mod that nothing has asked for yet, comes from the usual place.
	o.env = append(o.env, "GOPROXY="+proxy+","+goVariable(t, "GOPROXY"), "GONOSUMDB=*", "GOFLAGS=-modcacherw")
	cache := goVariable(t, "GOMODCACHE")
	t.Cleanup(func() {
		os.RemoveAll(filepath.Join(cache, published+"@v1.2.3"))
		os.RemoveAll(filepath.Join(cache, "cache/download", published))
	})

	o.says(0, []string{
		"with " + published + " v1.2.3", "wrote bin/my with 13 components", "mine.Scale", "Module, from mine", "own.Deep", "from example.com/own/losses/deep",
		"published.T",
	}, "./lighter", "build", "--with", "./mine", "--with", "./own/losses/...", "--with", published+"/layers@v1", "-o", "bin/my")

	o.says(0, []string{"fit done", "val/loss/epoch was lowest"}, "bin/my", "fit", "config.yaml", "trainer::max_epochs=2")
	if rows, err := os.ReadFile(filepath.Join(o.dir, "outputs/spirals/metrics.jsonl")); err != nil || !strings.Contains(string(rows), "val/metrics/ErrorRate/epoch") {
		t.Errorf("the logger wrote %q: %v", rows, err)
	}
	o.says(2, []string{`unknown field "gama" for mine.FocalLoss`, `did you mean "gamma"?`}, "bin/my", "check", "config.yaml", "model::criterion::gama=1")
	o.says(2, []string{"must be at least 1, got 0"}, "bin/my", "check", "config.yaml", "model::network::_args_::0::features=0")
	o.says(0, []string{"mine.FocalLoss, kind Module", "from mine", "(1-p)**gamma", "one of mean, sum"}, "bin/my", "list", "mine.FocalLoss")
	o.says(0, []string{"own.T  (from example.com/own/losses of module example.com/own)"}, "bin/my", "list", "own.")
	o.says(0, []string{"with     mine: 10 components", "with     example.com/own: 2 components", "with     " + published + "@v1.2.3: 1 component\n"}, "bin/my", "version")
	o.says(0, []string{`"mine.Lion"`}, "bin/my", "schema")
	_, text := o.run("bin/my", "list", "--json", "published.T")
	var listed []struct{ Package, Module string }
	if err := json.Unmarshal([]byte(text), &listed); err != nil || len(listed) != 1 || listed[0].Package != published+"/layers" || listed[0].Module != published+"@v1.2.3" {
		t.Errorf("list --json gives %s", text)
	}

	// The new program builds as well, and says what is wrong with what it is given.
	o.write("twin/twin.go", component("twin", "own.T"))
	o.says(1, []string{"the name own.T is taken twice: by example.com/own/losses of module example.com/own, and by twin"},
		"bin/my", "build", "--with", "./own/losses", "--with", "./twin", "-o", "none")
	o.write("broken/broken.go", strings.Replace(component("broken", "broken.T"), "t.X", "t.Y", 1))
	o.says(1, []string{"the program does not compile", "broken/broken.go:9:56: t.Y undefined"}, "bin/my", "build", "--with", "./broken", "-o", "none")
	o.says(1, []string{`--with ./own: there are no Go files in this folder; --with ./own/... takes the packages below it`}, "bin/my", "build", "--with", "./own", "-o", "none")
	if _, err := os.Stat(filepath.Join(o.dir, "none")); err == nil {
		t.Error("a build that failed leaves a program")
	}
}

// goVariable is a setting of the go command.
func goVariable(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestDocsGo: what docs/extending.md shows are the files of docs/examples/go, all of them.
func TestDocsGo(t *testing.T) {
	shown := map[string]bool{}
	for _, b := range blocks(t, "go") {
		shown[b.text] = true
	}
	files, err := filepath.Glob("../docs/examples/go/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !shown[string(text)] {
			t.Errorf("%s is not shown in docs/extending.md as it stands", file)
		}
		delete(shown, string(text))
	}
	for text := range shown {
		t.Errorf("docs show Go that is no file of docs/examples/go:\n%s", text)
	}
}
